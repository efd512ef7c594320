"""The regions that have prices: usage-type prefix and name in the price list."""

from typing import NamedTuple


class Region(NamedTuple):
    """How the price list writes a region.

    Parameters
    ----------
    prefix : str
        Prefix of usage types; traps: eu-west-1 is ``EU``, ap-south-1 is ``APS3``, ap-southeast-1 is ``APS1``.
    location : str
        Location name, still in AWS's older spelling.
    """

    prefix: str
    location: str


#: Region code to prefix and location. Source: AWS, "Region billing codes" and usage-type lists of the Price List.
REGIONS: dict[str, Region] = {
    "af-south-1": Region("AFS1", "Africa (Cape Town)"),
    "ap-east-1": Region("APE1", "Asia Pacific (Hong Kong)"),
    "ap-east-2": Region("APE2", "Asia Pacific (Taipei)"),
    "ap-northeast-1": Region("APN1", "Asia Pacific (Tokyo)"),
    "ap-northeast-2": Region("APN2", "Asia Pacific (Seoul)"),
    "ap-northeast-3": Region("APN3", "Asia Pacific (Osaka)"),
    "ap-south-1": Region("APS3", "Asia Pacific (Mumbai)"),
    "ap-south-2": Region("APS5", "Asia Pacific (Hyderabad)"),
    "ap-southeast-1": Region("APS1", "Asia Pacific (Singapore)"),
    "ap-southeast-2": Region("APS2", "Asia Pacific (Sydney)"),
    "ap-southeast-3": Region("APS4", "Asia Pacific (Jakarta)"),
    "ap-southeast-4": Region("APS6", "Asia Pacific (Melbourne)"),
    "ap-southeast-5": Region("APS7", "Asia Pacific (Malaysia)"),
    "ap-southeast-6": Region("APS8", "Asia Pacific (New Zealand)"),
    "ap-southeast-7": Region("APS9", "Asia Pacific (Thailand)"),
    "ca-central-1": Region("CAN1", "Canada (Central)"),
    "ca-west-1": Region("CAN2", "Canada West (Calgary)"),
    "eu-central-1": Region("EUC1", "EU (Frankfurt)"),
    "eu-central-2": Region("EUC2", "EU (Zurich)"),
    "eu-north-1": Region("EUN1", "EU (Stockholm)"),
    "eu-south-1": Region("EUS1", "EU (Milan)"),
    "eu-south-2": Region("EUS2", "EU (Spain)"),
    "eu-west-1": Region("EU", "EU (Ireland)"),
    "eu-west-2": Region("EUW2", "EU (London)"),
    "eu-west-3": Region("EUW3", "EU (Paris)"),
    "il-central-1": Region("ILC1", "Israel (Tel Aviv)"),
    "me-central-1": Region("MEC1", "Middle East (UAE)"),
    "me-south-1": Region("MES1", "Middle East (Bahrain)"),
    "mx-central-1": Region("MXC1", "Mexico (Central)"),
    "sa-east-1": Region("SAE1", "South America (Sao Paulo)"),
    "us-east-1": Region("USE1", "US East (N. Virginia)"),
    "us-east-2": Region("USE2", "US East (Ohio)"),
    "us-gov-east-1": Region("UGE1", "AWS GovCloud (US-East)"),
    "us-gov-west-1": Region("UGW1", "AWS GovCloud (US)"),
    "us-west-1": Region("USW1", "US West (N. California)"),
    "us-west-2": Region("USW2", "US West (Oregon)"),
}
