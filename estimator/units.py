"""Every conversion factor, with its source, and the way to the files that ship with the package.

Notes
-----
Fargate's "GB" of memory is 1024 MiB (0.5 GB is 512 MiB): AWS, "Amazon ECS task definition parameters for Fargate". The
load balancer's worked example uses decimal kilobytes and gigabytes (300 KB/s = 1.08 GB/h): AWS, "Elastic Load
Balancing
pricing". Data transfer and logs are counted in decimal gigabytes too; where AWS counts 2**30 bytes the bill is up to 7
% lower.
"""

from pathlib import Path

#: The month that AWS's calculators use (365 x 24 / 12). [h]
HOURS_PER_MONTH = 730
SECONDS_PER_MINUTE = 60
SECONDS_PER_HOUR = 3600
SECONDS_PER_DAY = 86_400
MS_PER_S = 1000
#: Fargate's "1024 CPU units = 1 vCPU". [cpu units/vCPU]
CPU_UNITS_PER_VCPU = 1024
#: Fargate's "GB". [MiB/GB]
MIB_PER_FARGATE_GB = 1024
BYTES_PER_KB = 1_000
MB_PER_GB = 1_000
BYTES_PER_GB = 1_000_000_000
#: Ephemeral storage that every Fargate task has without charge. [GiB]
INCLUDED_EPHEMERAL_STORAGE_GIB = 20


def data_path(*parts: str) -> Path:
    """Find a file that ships with the package.

    A wheel carries these files in ``estimator/_data``; an editable install does not, there they stand at the top of
    the checkout.

    Parameters
    ----------
    *parts : str
        Path below the data folder, such as ``"pricing_cache", "eu-west-1.json"``.

    Returns
    -------
    pathlib.Path
        The path; it need not exist.
    """
    package = Path(__file__).resolve().parent
    root = package / "_data"
    if not root.is_dir():
        root = package.parent
    return root.joinpath(*parts)


def described_fields(record: type) -> dict[str, str]:
    """Read what each field of a dataclass means from its numpydoc docstring.

    The docstring is the one place where a field is described: the JSON Schema, the commented scenario and the app's
    help show it.

    Parameters
    ----------
    record : type
        A class with a ``Parameters`` section.

    Returns
    -------
    dict of str to str
        Description by field name; the unit closes it in brackets.

    Examples
    --------
    >>> from estimator.service.task_size import TaskSize
    >>> described_fields(TaskSize)["memory_mib"]
    'Memory. [MiB]'
    """
    import inspect

    text = (inspect.getdoc(record) or "").replace("``", "`")
    found: dict[str, str] = {}
    names: list[str] = []
    inside = False
    lines = text.splitlines()
    for line, following in zip(lines, [*lines[1:], ""], strict=True):
        if following.startswith("---"):
            inside = line == "Parameters"
            continue
        if not inside or line.startswith("---") or not line.strip():
            continue
        if line.startswith(" "):
            for name in names:
                found[name] = f"{found[name]} {line.strip()}".strip()
        else:
            names = [name.strip() for name in line.partition(":")[0].split(",")]
            found.update(dict.fromkeys(names, ""))
    return found
