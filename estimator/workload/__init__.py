"""What the service must carry: a load profile, and what one request asks for."""
