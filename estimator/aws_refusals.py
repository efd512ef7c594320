"""Error codes with which AWS refuses a request, for whoever asks AWS: what they mean, whatever the service."""

#: The credentials are none, are wrong or have expired.
BAD_CREDENTIALS = frozenset(
    {
        "ExpiredToken",
        "ExpiredTokenException",
        "IncompleteSignature",
        "IncompleteSignatureException",
        "InvalidClientTokenId",
        "InvalidSignatureException",
        "MissingAuthenticationToken",
        "MissingAuthenticationTokenException",
        "SignatureDoesNotMatch",
        "UnrecognizedClientException",
    }
)
#: The credentials may not do this.
DENIED = frozenset({"AccessDenied", "AccessDeniedException", "NotAuthorized", "UnauthorizedOperation"})
#: Too many requests in too short a time.
THROTTLED = frozenset({"LimitExceeded", "RequestLimitExceeded", "SlowDown", "Throttling", "ThrottlingException", "429"})
