"""The sizes against AWS's own matrix, as cfn-lint carries it."""

import importlib.util
import json
from pathlib import Path

import pytest

from estimator.errors import InvalidScenario
from estimator.service.task_size import MEMORY_MIB, TASK_SIZES, TaskSize


def _aws_pairs():
    # Found without importing cfn-lint, which takes seconds.
    package = Path(importlib.util.find_spec("cfnlint").origin).parent
    matrix = package / "data/schemas/extensions/aws_ecs_taskdefinition/fargate_cpu_memory.json"
    pairs = set()
    for branch in json.loads(matrix.read_text(encoding="utf-8"))["then"]["anyOf"]:
        memory = branch["properties"]["Memory"]["then"]
        sizes = memory.get("enum") or range(memory["minimum"], memory["maximum"] + 1, memory["multipleOf"])
        pairs |= {(int(cpu), int(mib)) for cpu in branch["properties"]["Cpu"]["then"]["enum"] for mib in sizes}
    return pairs


def test_the_sizes_are_those_of_aws():
    pairs = _aws_pairs()
    assert {(size.cpu_units, size.memory_mib) for size in TASK_SIZES} == pairs
    # 3 + 4 + 7 + 13 + 23 + 12 + 12 + 3
    assert len(TASK_SIZES) == len(pairs) == 77


def test_small_sizes_come_first():
    assert list(TASK_SIZES) == sorted(TASK_SIZES)


@pytest.mark.parametrize("cpu_units", MEMORY_MIB)
def test_what_aws_does_not_have_is_refused(cpu_units):
    pairs = _aws_pairs()
    for memory_mib in [0, 256, 512, *range(1024, 260_000, 1024)]:
        if (cpu_units, memory_mib) in pairs:
            assert TaskSize(cpu_units, memory_mib).memory_mib == memory_mib
        else:
            with pytest.raises(InvalidScenario, match="memory_mib"):
                TaskSize(cpu_units, memory_mib)


# CPU in vCPU; Fargate's "GB" is 1024 MiB, so 0.5 GB is 512 MiB.
@pytest.mark.parametrize(
    ("cpu_units", "memory_mib", "vcpu", "gb"),
    [(256, 512, 0.25, 0.5), (1024, 2048, 1, 2), (4096, 30_720, 4, 30), (32_768, 249_856, 32, 244)],
)
def test_vcpu_and_gb(cpu_units, memory_mib, vcpu, gb):
    size = TaskSize(cpu_units, memory_mib)
    assert (size.vcpu, size.memory_gb) == (vcpu, gb)


@pytest.mark.parametrize(
    ("cpu_units", "memory_mib", "said"),
    [
        (300, 512, ["300", "256, 512, 1024", "32768"]),
        (0, 512, ["cpu_units is 0"]),
        (-256, 512, ["-256"]),
        (256, 4096, ["4096", "256", "512, 1024, 2048 MiB"]),
        (1024, 1024, ["1024", "2048 to 8192 in steps of 1024"]),  # the article's 1 vCPU with 1 GB
        (8192, 17_408, ["16384 to 61440 in steps of 4096"]),
        (32_768, 65_536, ["61440, 122880, 249856"]),
    ],
)
def test_the_message_names_the_value_and_what_is_allowed(cpu_units, memory_mib, said):
    with pytest.raises(InvalidScenario) as caught:
        TaskSize(cpu_units, memory_mib)
    for part in said:
        assert part in str(caught.value)
