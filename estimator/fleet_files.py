"""A folder or a table of scenarios, read into services that can be priced: read_fleet(path), and fleet_columns().

Notes
-----
A table has a row for each service: what its cells say goes over a base scenario, so that a hundred services that differ in a few figures are
one short file. A row, or a file of a folder, that cannot be read is a service that fails with its reason; what is wrong with the table as a
whole, such as a column that no scenario has, is an error.
"""

from __future__ import annotations

import copy
import csv
import difflib
import functools
import hashlib
import io
import os
import re
import threading
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import PrivateAttr

from estimator.checks import read_text, shown
from estimator.documents import parse_document
from estimator.errors import EstimatorError, InvalidScenario
from estimator.fingerprints import fingerprint_of
from estimator.load_sections import ShapedLoad
from estimator.planning.fleet import MAX_SERVICES, FleetService, Progress
from estimator.planning.result import Plan
from estimator.pricing.rates import Rates
from estimator.pricing.snapshots import load_rates
from estimator.scenario import MAX_DOCUMENT_BYTES, Scenario, scenario_schema
from estimator.service_sections import require_one_way
from estimator.workload.profile import LoadProfile
from estimator.workload.request import Request, Workload

#: Endings of scenarios in a folder.
SUFFIXES = (".yaml", ".yml", ".json")
MAX_TABLE_BYTES, MAX_COLUMNS, MAX_CELL_LETTERS = 5_000_000, 200, 1000
#: First column of a table, and the one that names each row's base.
NAME, BASE = "name", "base"
#: Fields that are paths. In a cell they are relative to the table, as a base is; in a scenario to that scenario.
_PATHS = frozenset({"load.path", "prices.overrides"})
#: What a document begins a line with that is meant as a scenario.
_SCENARIO = re.compile(r"""^\s*\{?\s*["']?(load|request)["']?\s*:""", re.MULTILINE)
_CHUNK_BYTES = 1 << 20


@dataclass(frozen=True, eq=False)
class FleetFiles:
    """What was read of a folder or a table.

    Parameters
    ----------
    services : tuple of FleetService
        The services, in the order of the files' names or of the rows.
    passed_over : tuple of str
        Files of the folder that are no scenarios.
    """

    services: tuple[FleetService, ...]
    passed_over: tuple[str, ...] = ()


def read_fleet(path: Path | str, base: Path | str | None = None, *, as_it_is: bool = False) -> FleetFiles:
    """Read the scenarios of a folder, or of a table's rows.

    Parameters
    ----------
    path : path
        A folder, whose YAML and JSON files are taken but not those of folders in it, or a CSV file.
    base : path, optional
        Scenario that the rows of a table go over, where they name none of their own.
    as_it_is : bool
        True to price the section ``service`` of each; by default a plan is searched for.

    Returns
    -------
    FleetFiles
        Services for `plan_fleet`, and what was passed over.

    Raises
    ------
    InvalidScenario
        If nothing can be read, the table is broken as a whole, or there is too much of it.

    Examples
    --------
    >>> from estimator.planning.fleet import plan_fleet
    >>> from estimator.units import data_path
    >>> files = read_fleet(data_path("examples", "fleet", "fleet.csv"), as_it_is=True)
    >>> fleet = plan_fleet(files.services)
    >>> [row.name for row in fleet], len(fleet.failed)
    (['shop', 'checkout', 'search', 'reports'], 0)
    """
    path = Path(path)
    base = None if base is None else Path(base)
    if path.is_dir():
        if base is not None:
            raise InvalidScenario(
                f"{path} is a folder of whole scenarios, and a base is for the rows of a table. Leave it out."
            )
        return _read_folder(path, as_it_is)
    if path.suffix.lower() in SUFFIXES:
        raise InvalidScenario(
            f"{path} is no folder and no table. Name the folder that it is in, or a CSV file; `estimator plan {path}` plans it alone."
        )
    return _read_table(path, base, as_it_is)


@functools.cache
def fleet_columns() -> tuple[str, ...]:
    """List the columns that a table may have besides ``name`` and ``base``: paths of a scenario's fields that hold one value.

    Returns
    -------
    tuple of str
        Paths, in the order of a scenario; one that ends in ``.*`` stands for any name.

    Examples
    --------
    >>> [name for name in fleet_columns() if name.startswith("prices.")][:3]
    ['prices.as_of', 'prices.overrides', 'prices.discounts_percent.*']
    """
    return tuple(dict.fromkeys(path for path, kind in _fields().items() if kind == "value"))


# A folder.


def _read_folder(folder: Path, as_it_is: bool) -> FleetFiles:
    try:
        files = sorted(each for each in folder.iterdir() if each.suffix.lower() in SUFFIXES and each.is_file())
    except OSError as error:
        raise InvalidScenario(f"The folder {folder} cannot be read: {error.strerror}. Check the path.") from None
    shared = _Shared()
    stems = Counter(each.stem for each in files)
    services: list[FleetService] = []
    passed_over: list[str] = []
    for file in files:
        name = file.stem if stems[file.stem] == 1 else file.name
        name = name if name.isprintable() else shown(name)
        try:
            values = _document(file)
        except InvalidScenario as error:
            if _is_meant(file):
                services.append(_failed(name, error))
            else:
                passed_over.append(file.name)
            continue
        if not isinstance(values, Mapping) or not {"load", "request"} & set(values):
            passed_over.append(file.name)
            continue
        services.append(_service(name, values, str(file), folder, shared, as_it_is))
        if len(services) > MAX_SERVICES:
            raise InvalidScenario(
                f"{folder} has more than {MAX_SERVICES:,} scenarios; at most so many are planned at once. Divide them."
            )
    if not services:
        raise InvalidScenario(
            f"{folder} has no scenario: no file that ends in {', '.join(SUFFIXES)} with a load and a request. `estimator init` writes one."
        )
    return FleetFiles(tuple(services), tuple(passed_over))


def _document(path: Path) -> object:
    text = read_text(path, "scenario", MAX_DOCUMENT_BYTES, "A scenario is a small document.")
    return parse_document(text, str(path))


def _is_meant(path: Path) -> bool:
    """Tell a scenario that cannot be read from a file that is something else."""
    try:
        with path.open(encoding="utf-8", errors="replace") as file:
            return _SCENARIO.search(file.read(MAX_DOCUMENT_BYTES)) is not None
    except OSError:
        return False


# A table.


def _read_table(path: Path, base: Path | None, as_it_is: bool) -> FleetFiles:
    text = read_text(path, "table", MAX_TABLE_BYTES, "Divide it.", ", or name a folder of scenarios")
    rows = _rows(text, path.name)
    _, header = next(rows, (1, []))
    _require_header(header, path.name)
    # That the one base of all rows cannot be read is said once.
    bases = _Bases(path.parent, base)
    shared = _Shared()
    services: list[FleetService] = []
    lines: dict[str, int] = {}
    for line, row in rows:
        place = f"{path.name}, row {line}"
        if len(row) != len(header):
            raise InvalidScenario(
                f"{place} has {len(row)} cells, the header {len(header)}. Put a value with a comma in quotes; leave a cell empty for the base's value."
            )
        name = row[0].strip()
        if not name:
            raise InvalidScenario(f"{place} has no name; every service needs one of its own.")
        if not name.isprintable():
            raise InvalidScenario(f"{place}: the name {shown(name)} has letters that cannot be printed. Write it anew.")
        if name in lines:
            raise InvalidScenario(
                f"{place}: {shown(name)} stands in row {lines[name]} already. Give each service a name of its own."
            )
        lines[name] = line
        if len(lines) > MAX_SERVICES:
            raise InvalidScenario(
                f"{path.name} has more than {MAX_SERVICES:,} services; at most so many are planned at once. Divide it."
            )
        where = f"{place} ({shown(name)[1:-1]})"
        try:
            values, folder = bases.of(row[header.index(BASE)].strip() if BASE in header else "", where)
            _lay_over(values, header, row, where, path.parent, folder)
        except InvalidScenario as error:
            services.append(_failed(name, error))
            continue
        services.append(_service(name, values, where, folder, shared, as_it_is))
    if not services:
        raise InvalidScenario(f"{path.name} has no rows below its header; write one for each service.")
    return FleetFiles(tuple(services))


def _rows(text: str, name: str) -> Iterator[tuple[int, list[str]]]:
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        for row in reader:
            if any(cell.strip() for cell in row):
                yield reader.line_num, row
    except csv.Error as error:
        raise InvalidScenario(
            f"{name}, row {reader.line_num}: it is not CSV ({error}). Look for a stray quote."
        ) from None


def _require_header(header: list[str], table: str) -> None:
    """Raise unless a table's columns are ones that a scenario has."""
    header[:] = [cell.strip() for cell in header]
    if not header or header[0] != NAME:
        raise InvalidScenario(
            f"{table} begins with {shown(header[0] if header else '')}; its first column must be `{NAME}`, and commas part columns. "
            f"The others are `{BASE}` and fields of a scenario such as load.peak_requests_per_s."
        )
    if len(header) > MAX_COLUMNS:
        raise InvalidScenario(
            f"{table} has {len(header)} columns; at most {MAX_COLUMNS}. Put what all rows share into a base scenario."
        )
    fields = _fields()
    for place, column in enumerate(header[1:], 1):
        if column in header[:place]:
            raise InvalidScenario(f"{table} has the column {shown(column)} twice; keep one of them.")
        section, _, last = column.rpartition(".")
        free = fields.get(f"{section}.*") if last else None
        kind = "value" if column == BASE else fields.get(column) or free
        if kind is None:
            raise InvalidScenario(
                f"{table} has the column {shown(column)}, which is no field of a scenario.{_near(column)}"
            )
        if kind != "value":
            raise InvalidScenario(
                f"{table} has the column {shown(column)}, which is {kind}, and a cell holds one value. Write it in a base scenario"
                f"{', or name a field of it' if kind == 'a section' else ''}."
            )


def _near(column: str) -> str:
    """Name columns that may be meant: the same field elsewhere, then those spelt alike."""
    all_known = set(fleet_columns())
    # The ends of an interval are not what a slip of the pen is about.
    known = [each for each in fleet_columns() if each.rpartition(".")[0] not in all_known]
    last = column.rpartition(".")[2]
    same = [each for each in known if each.rpartition(".")[2] == last]
    alike = difflib.get_close_matches(column, known, n=3, cutoff=0.6)
    ends = {each.rpartition(".")[2]: each for each in reversed(known)}
    parts = [ends[each] for each in difflib.get_close_matches(last, ends, n=2, cutoff=0.75)]
    near = list(dict.fromkeys([*same, *alike, *parts]))[:3]
    if not near:
        return " `estimator schema` lists them all."
    *first, last = near
    before = f"{', '.join(first)} or " if first else ""
    return f" Did you mean {before}{last}?"


def _lay_over(
    values: dict[str, Any], header: list[str], row: list[str], where: str, table_folder: Path, folder: Path
) -> None:
    """Put a row's cells over the base's values; an empty one leaves the base's."""
    for column, cell in zip(header, row, strict=True):
        if column == BASE or not cell.strip():
            continue
        value = _scalar(cell, column, where)
        if column in _PATHS and isinstance(value, str):
            value = os.path.relpath(table_folder / value, folder)
        *sections, field = column.split(".")
        section = values
        for depth, part in enumerate(sections, 1):
            inside = section.get(part)
            if inside is None:
                inside = section[part] = {}
            if not isinstance(inside, dict):
                raise InvalidScenario(
                    f"{where}: {'.'.join(sections[:depth])} is {shown(inside)} in the base; it must be a section for the column {column}. Mend the base."
                )
            section = inside
        section[field] = value


def _scalar(cell: str, column: str, where: str) -> object:
    """Read a cell as YAML reads a single value."""
    text = cell.strip()
    if len(text) > MAX_CELL_LETTERS:
        raise InvalidScenario(
            f"{where}: {column} has {len(text):,} letters; at most {MAX_CELL_LETTERS:,}. Put it into a base scenario."
        )
    value = parse_document(text, f"{where}: {column}")
    if isinstance(value, (Mapping, list)) or (value is None and text.lower() not in ("null", "~")):
        raise InvalidScenario(
            f"{where}: {column} is {shown(text)}; a cell holds one value. Put text between two pairs of quotes, or write lists into a base scenario."
        )
    return value


class _Bases:
    """Base scenarios of a table, each read once."""

    def __init__(self, folder: Path, usual: Path | None) -> None:
        self._folder = folder
        self._read: dict[Path, object] = {}
        self._usual = usual
        if usual is not None:
            self._values(usual)

    def of(self, named: str, where: str) -> tuple[dict[str, Any], Path]:
        """Return a copy of what a row goes over, and what its paths are relative to."""
        path = self._folder / named if named else self._usual
        if path is None:
            return {}, self._folder
        try:
            values = self._values(path)
        except InvalidScenario as error:
            raise InvalidScenario(f"{where}: {error}") from None
        if not isinstance(values, dict):
            raise InvalidScenario(f"{where}: the base {path} is no scenario; it must be a mapping of sections.")
        return copy.deepcopy(values), path.parent

    def _values(self, path: Path) -> object:
        if path not in self._read:
            self._read[path] = _document(path)
        return self._read[path]


@functools.cache
def _fields() -> dict[str, str]:
    """Say of every field of a scenario, by path, whether it holds a value, a list or a section."""
    schema = scenario_schema()
    found: dict[str, str] = {}

    def walk(node: Mapping[str, Any], path: str) -> None:
        kinds = list(_kinds(node, schema["$defs"]))
        if path:
            sections = any("properties" in kind or "additionalProperties" in kind for kind in kinds)
            values = any(kind.get("type") in ("string", "number", "integer", "boolean") for kind in kinds)
            values = values or any({"const", "enum"} & set(kind) for kind in kinds)
            found.setdefault(path, "value" if values else "a section" if sections else "a list")
        for kind in kinds:
            for name, inside in kind.get("properties", {}).items():
                walk(inside, f"{path}.{name}" if path else name)
            if isinstance(kind.get("additionalProperties"), Mapping):
                walk(kind["additionalProperties"], f"{path}.*")

    walk(schema, "")
    return found


def _kinds(node: Mapping[str, Any], known: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Follow references and alternatives to what may stand in a place."""
    if "$ref" in node:
        yield from _kinds(known[node["$ref"].rpartition("/")[2]], known)
    for inside in (*node.get("anyOf", ()), *node.get("oneOf", ()), *node.get("allOf", ())):
        yield from _kinds(inside, known)
    if not {"$ref", "anyOf", "oneOf", "allOf"} & set(node):
        yield node


# A service.


def _failed(name: str, error: EstimatorError, region: str = "") -> FleetService:
    def price(tell: Progress) -> tuple[Plan, Rates]:
        raise error

    return FleetService(name, price, region)


def _service(
    name: str, values: Mapping[str, Any], where: str, folder: Path, shared: _Shared, as_it_is: bool
) -> FleetService:
    """Make a service of a document."""
    try:
        require_one_way(values.get("service"), where)
        scenario = _SharingScenario.from_dict(values, where)
        assert isinstance(scenario, _SharingScenario)
        if as_it_is and scenario.service is None:
            scenario.spec()
    except InvalidScenario as error:
        if not str(error).startswith(where):
            error = InvalidScenario(f"{where}: {error}")
        region = values.get("region")
        return _failed(name, error, region if isinstance(region, str) and len(region) < MAX_CELL_LETTERS else "")
    scenario.share(shared, folder)

    def price(tell: Progress) -> tuple[Plan, Rates]:
        rates = shared.rates(scenario, scenario.region, folder)
        if as_it_is:
            return scenario.estimate(rates, folder), rates
        # A search among several regions reads their rates itself, and may end in another one.
        # Services are searched side by side: one thread for each is enough.
        found = scenario.plan(None if scenario.search.regions else rates, folder, tell, n_threads=1)
        return found, shared.rates(scenario, found.cost.region, folder)

    def fingerprint() -> str:
        files = [*scenario.load.files, *([scenario.prices.overrides] if scenario.prices.overrides else [])]
        content = {
            "program": _version(),
            "name": name,
            "verb": "estimate" if as_it_is else "plan",
            "scenario": scenario.to_dict(),
            "files": [shared.digest(folder / file) for file in files],
            "rates": [
                shared.rates_fingerprint(scenario, each, folder) for each in (scenario.region, *scenario.search.regions)
            ],
        }
        return fingerprint_of(content)

    return FleetService(name, price, scenario.region, scenario.hours_per_month, fingerprint)


def _version() -> str:
    from importlib.metadata import version

    return version("fargate-estimator")


class _LaidOutLoad(ShapedLoad):
    """What bends a load whose rows are read already."""

    _rows: LoadProfile = PrivateAttr()

    def _laid_out(self, folder: Path) -> LoadProfile:
        return self._rows


class _SharingScenario(Scenario):
    """A scenario that reads files together with others."""

    _shared: _Shared = PrivateAttr()

    def share(self, shared: _Shared, folder: Path) -> None:
        """Read files together with others."""
        self._shared = shared
        shared.expect(self.load, folder)

    def workload(self, folder: Path | str = ".") -> Workload:
        """Make the load and its requests."""
        request = {name: getattr(self.request, name) for name in Request.__dataclass_fields__}
        return Workload(self._shared.profile(self.load, Path(folder)), **request)


class _Shared:
    """What services read together: each file of a load once, each region's rates once, each file's digest once."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._readers: Counter[str] = Counter()
        self._profiles: dict[str, LoadProfile] = {}
        self._rates: dict[str, Rates] = {}
        self._fingerprints: dict[str, str] = {}
        self._digests: dict[Path, str] = {}

    def expect(self, load: ShapedLoad, folder: Path) -> None:
        """Count a load that will be read, so that one that several need is kept."""
        if load.files:
            self._readers[self._rows_key(load, folder)] += 1

    def profile(self, load: ShapedLoad, folder: Path) -> LoadProfile:
        """Make a load, of a file that several need with the rows that were read before."""
        key = self._rows_key(load, folder) if load.files else ""
        if self._readers[key] < 2:
            return load.profile(folder)
        with self._lock:
            if key not in self._profiles:
                usual = {name: field.get_default() for name, field in ShapedLoad.model_fields.items()}
                self._profiles[key] = load.model_copy(update=usual).profile(folder)
        shaped = _LaidOutLoad.model_construct(**{name: getattr(load, name) for name in ShapedLoad.model_fields})
        shaped._rows = self._profiles[key]
        return shaped.profile(folder)

    def rates(self, scenario: Scenario, region: str, folder: Path) -> Rates:
        """Read a region's rates as a scenario's prices say."""
        key = self._rates_key(scenario, region, folder)
        with self._lock:
            if key not in self._rates:
                prices = scenario.prices
                self._rates[key] = prices.over(load_rates(region, as_of=prices.as_of), folder)
            return self._rates[key]

    def rates_fingerprint(self, scenario: Scenario, region: str, folder: Path) -> str:
        """Return SHA-256 over a region's rates as a scenario's prices say."""
        key = self._rates_key(scenario, region, folder)
        with self._lock:
            if key not in self._fingerprints:
                rates = self.rates(scenario, region, folder)
                known = {name: repr(rate) for name, rate in rates.known.items()}
                self._fingerprints[key] = fingerprint_of({"region": region, "own": rates.own, "known": known})
            return self._fingerprints[key]

    def digest(self, path: Path) -> str:
        """Return SHA-256 over a file, or over the access logs of a folder; of one that cannot be read nothing."""
        with self._lock:
            if path not in self._digests:
                digest = hashlib.sha256()
                try:
                    files = sorted(path.rglob("*.log*")) if path.is_dir() else [path]
                    for file in files:
                        if file.is_file():
                            digest.update(f"{file.name}\0{file.stat().st_size}\0".encode())
                            with file.open("rb") as opened:
                                while chunk := opened.read(_CHUNK_BYTES):
                                    digest.update(chunk)
                except (OSError, ValueError):
                    # Whoever reads it says what is wrong with it.
                    return ""
                self._digests[path] = digest.hexdigest()
            return self._digests[path]

    def _rows_key(self, load: ShapedLoad, folder: Path) -> str:
        rows = {
            name: value for name, value in load.model_dump(mode="json").items() if name not in ShapedLoad.model_fields
        }
        return fingerprint_of({"folder": str(folder.absolute()), "load": rows})

    def _rates_key(self, scenario: Scenario, region: str, folder: Path) -> str:
        own = str(folder.absolute()) if scenario.prices.overrides else ""
        return fingerprint_of({"region": region, "prices": scenario.prices.model_dump(mode="json"), "folder": own})
