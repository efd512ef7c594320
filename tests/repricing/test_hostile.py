"""Files that are broken, strange or meant to harm: one sentence, never a traceback, and nothing outside the folder is read."""

import copy
import itertools
import json
import os
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from estimator.errors import InvalidScenario
from estimator.repricing import reprice
from estimator.repricing.repricer import read_scenario_of
from estimator.repricing.stacks import Template, World
from estimator.repricing.template_documents import parse_template
from estimator.repricing.template_files import TemplateFiles, read_templates
from estimator.scenario import Scenario

TEMPLATES = Path(__file__).parent / "templates"
SCENARIO = Scenario.from_dict(
    {
        "region": "eu-west-1",
        "load": {"kind": "constant", "requests_per_s": 5},
        "request": {"cpu_ms_per_request": 12},
        "service": {"cpu_units": 256, "memory_mib": 512},
    }
)
LAUGHS = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "\n".join(
    f"{name}: &{name} [{', '.join([f'*{before}'] * 9)}]" for before, name in itertools.pairwise("abcdefghijkl")
)
BROKEN = {
    "nothing": ("", "no CloudFormation template"),
    "a list": ("[1, 2]", "no CloudFormation template"),
    "a text": ("hello", "no CloudFormation template"),
    "resources that are a list": ("Resources: []", "no CloudFormation template"),
    "no service": ("Resources: {A: {Type: 'AWS::S3::Bucket'}}", "the templates have no ECS service"),
    "resources of wrong kinds": ("Resources: {A: null, B: [1], C: {Type: 5, Properties: []}, 7: {}}", "no ECS service"),
    "JSON that is cut off": ('{"Resources": {"A": ', "not a template in JSON or YAML"),
    "a tab": ("Resources:\n\tA: 1", "line 2"),
    "code": ("Resources: {A: !!python/object/apply:os.system ['true']}", "not a template in JSON or YAML"),
    "code with a name": ("Resources: {A: !!python/name:os.system ''}", "not a template in JSON or YAML"),
    "depth in JSON": ('{"Resources": ' + "[" * 100_000, "levels deep"),
    "depth in YAML": ("Resources: " + "[" * 3000 + "]" * 3000, "levels deep"),
    "what holds itself": ("Resources: &r {A: {Properties: *r}}", "not a template in JSON or YAML"),
    "a billion laughs": (f"{LAUGHS}\nResources: {{}}", "more than 200,000 values"),
    "a key that stands twice": ("Resources: {A: {}, A: {}}", "'A' stands twice"),
    "a key that is a list": ("Resources: {? [1] : 2}", "stands as a key"),
    "no number": ('{"Resources": {"A": NaN}}', "NaN is no number"),
}


@pytest.mark.parametrize("case", BROKEN)
def test_a_broken_file_is_refused_in_one_sentence(case: str, tmp_path: Path) -> None:
    text, expected = BROKEN[case]
    path = tmp_path / "web.yaml"
    path.write_text(text)
    with pytest.raises(InvalidScenario, match=expected) as refused:
        reprice(path, SCENARIO)
    assert len(str(refused.value)) < 400
    assert "\n" not in str(refused.value)


def test_files_that_are_no_text_or_too_large(tmp_path: Path) -> None:
    binary, large = tmp_path / "a.yaml", tmp_path / "b.yaml"
    binary.write_bytes(b"\xff\xfe\x00Resources")
    large.write_bytes(b"#" * 5_000_000)
    for path, expected in (
        (binary, "not UTF-8"),
        (large, "larger than 4 MB"),
        (tmp_path / "none.yaml", "cannot be read"),
    ):
        with pytest.raises(InvalidScenario, match=expected):
            reprice(path, SCENARIO)
    empty = tmp_path / "empty"
    empty.mkdir()
    with pytest.raises(InvalidScenario, match="holds no CloudFormation template"):
        reprice(empty, SCENARIO)


def test_a_file_that_cannot_be_read_does_not_hide_the_templates_beside_it(tmp_path: Path) -> None:
    (tmp_path / "web.yaml").write_bytes((TEMPLATES / "isolated.yaml").read_bytes())
    (tmp_path / "dump.yaml").write_bytes(b"#" * 4_000_001)
    os.mkfifo(tmp_path / "pipe.yaml")
    found = reprice(tmp_path, SCENARIO)
    over = {gap.subject: gap.text for gap in found.not_understood if gap.text.startswith("The file was not read")}
    assert "dump.yaml is larger than 4 MB" in over["dump.yaml"]
    assert "it is a device or a pipe" in over["pipe.yaml"]
    (tmp_path / "web.yaml").unlink()
    with pytest.raises(InvalidScenario, match=r"holds no CloudFormation template \(.*dump\.yaml is larger than 4 MB"):
        reprice(tmp_path, SCENARIO)


def test_stacks_that_condition_themselves_come_to_an_end() -> None:
    mutual = (
        "Conditions: {A: !Equals [!If [B, 1, !If [B, 2, 3]], !Ref P], B: !Equals [!If [A, 1, !If [A, 2, 3]], !Ref P]}"
    )
    text = f"Parameters: {{P: {{Type: String}}}}\n{mutual}\nResources: {{T: {{Type: X, Properties: {{V: !If [A, 1, 2]}}}}}}"
    (found,) = World((Template("a", parse_template(text, "a"), "a"),), "eu-west-1").resources
    assert [token.name for token in found.get("V").inside] == ["P"]


@pytest.mark.parametrize("manifest", ["{", "[]", '{"artifacts": 5}', "[" * 50_000])
def test_a_manifest_that_is_none(manifest: str, tmp_path: Path) -> None:
    (tmp_path / "manifest.json").write_text(manifest)
    with pytest.raises(InvalidScenario, match="no manifest of a cloud assembly"):
        reprice(tmp_path, SCENARIO)


def test_a_manifest_that_leads_out_of_its_folder(tmp_path: Path) -> None:
    outside, folder = tmp_path / "secret.json", tmp_path / "cdk.out"
    outside.write_text('{"Resources": {}}')
    folder.mkdir()
    stack = {"type": "aws:cloudformation:stack", "properties": {"templateFile": "../secret.json"}}
    (folder / "manifest.json").write_text(json.dumps({"artifacts": {"s": stack}}))
    with pytest.raises(InvalidScenario, match=r"names secret\.json outside of the folder"):
        reprice(folder, SCENARIO)


JUNK: list[Any] = [None, [], {}, "", "x", -1, 1e300, True, [None], 10**30, "9" * 50, [{"a": 1}], float("nan")]
JUNK += [{"Ref": "Nope"}, {"Ref": ["x"]}, {"Fn::Sub": "${A.B}"}, {"Fn::If": ["No", 1, 2]}, {"Fn::Split": ["", ""]}]


def paths(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield path
    for key in value if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ():
        yield from paths(value[key], (*path, key))


@pytest.mark.parametrize("name", ["isolated.yaml", "article", "private"])
def test_any_value_may_be_anything(name: str) -> None:
    """Junk in the place of some value: it is read all the same, or refused in a sentence."""
    files, chance = read_templates(TEMPLATES / name), random.Random(name)  # noqa: S311 - junk
    read, refused = 0, 0
    for _ in range(40):
        templates = list(files.templates)
        place = chance.randrange(len(templates))
        values = copy.deepcopy(dict(templates[place].values))
        *above, last = chance.choice([path for path in paths(values) if len(path) > 2])
        holder: Any = values
        for key in above:
            holder = holder[key]
        holder[last] = chance.choice(JUNK)
        old = templates[place]
        templates[place] = Template(old.name, values, old.where, old.region, old.file_name, old.stack_name)
        try:
            read_scenario_of(TemplateFiles(files.path, tuple(templates)), SCENARIO, {})
            read += 1
        except InvalidScenario as error:
            refused += "\n" not in str(error)
    assert read > refused
    assert read + refused == 40
