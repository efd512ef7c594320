"""The intrinsic functions by AWS's own examples, and what they give where only AWS knows."""

from typing import Any

import pytest

from estimator.repricing.stacks import Template, World
from estimator.repricing.template_documents import parse_template
from estimator.repricing.tokens import Text, Token

#: Examples of the pages "Fn::..." of the CloudFormation Template Reference, read 2026, with AWS's results.
EXAMPLES: list[tuple[str, str, Any]] = [
    ("Join", "!Join [ ':', [ a, b, c ] ]", "a:b:c"),
    ("Join with a pseudo parameter", "!Join ['', ['arn:', !Ref 'AWS::Partition', ':s3:::elasticbeanstalk-*']]", "arn:aws:s3:::elasticbeanstalk-*"),
    ("Split", "!Split [ '|' , 'a|b|c' ]", ["a", "b", "c"]),
    ("Split with empty ends", "!Split [ '|' , 'a||c|' ]", ["a", "", "c", ""]),
    ("Select", "!Select [ '1', [ 'apples', 'grapes', 'oranges', 'mangoes' ] ]", "grapes"),
    ("Select of a Split", "!Select [2, !Split [',', 'x,y,z']]", "z"),
    ("Sub", "!Sub 'arn:aws:ec2:${AWS::Region}::vpc'", "arn:aws:ec2:us-east-1::vpc"),
    ("Sub with a map", "!Sub ['www.${Domain}', {Domain: !Ref RootDomainName}]", "www.mydomain.com"),
    ("Sub of a literal", "!Sub 'echo ${!Literal}'", "echo ${Literal}"),
    ("FindInMap", "!FindInMap [RegionMap, !Ref 'AWS::Region', HVM64]", "ami-0ff8a91507f77f867"),
    ("FindInMap of nothing known", "Fn::FindInMap: [RegionMap, eu-north-9, HVM64, {DefaultValue: ami-none}]", "ami-none"),
    ("If", "!If [CreateProdResources, m5.large, t3.small]", "t3.small"),
    ("If of AWS::NoValue", "a: !If [CreateProdResources, x, !Ref 'AWS::NoValue']", {}),
    ("And", "!If [Both, 'yes', 'no']", "no"),
    ("Or", "!If [Either, 'yes', 'no']", "yes"),
    ("Not", "!If [NotProd, 'yes', 'no']", "yes"),
    ("a number and its text", "!If [Numbers, 'yes', 'no']", "yes"),
    ("Base64", "!Base64 AWS CloudFormation", "QVdTIENsb3VkRm9ybWF0aW9u"),
    ("Length", "Fn::Length: [1, 2, 3]", 3),
    ("a list by commas", "!Select [1, !Ref Subnets]", "subnet-b"),
]  # fmt: skip
AROUND = """
Parameters:
  RootDomainName: {Type: String, Default: mydomain.com}
  EnvType: {Type: String, Default: test}
  Subnets: {Type: 'List<AWS::EC2::Subnet::Id>', Default: 'subnet-a, subnet-b'}
  Unknown: {Type: String}
  Kept: {Type: 'AWS::SSM::Parameter::Value<String>', Default: /web/image}
Mappings:
  RegionMap: {us-east-1: {HVM64: ami-0ff8a91507f77f867}}
Conditions:
  CreateProdResources: !Equals [!Ref EnvType, prod]
  IsTest: !Equals [!Ref EnvType, test]
  Both: !And [!Condition CreateProdResources, !Condition IsTest]
  Either: !Or [!Condition CreateProdResources, !Condition IsTest]
  NotProd: !Not [!Condition CreateProdResources]
  Numbers: !Equals [1, '1']
  Open: !Equals [!Ref Unknown, x]
  FalseWhateverOpenIs: !And [!Condition Open, !Condition CreateProdResources]
  Itself: !Not [!Condition Itself]
Resources:
  Cluster: {Type: 'AWS::ECS::Cluster'}
"""


def resolved(value: str, given: dict[str, str] | None = None) -> Any:
    """What a property becomes."""
    lines = "\n".join(f"      {line}" for line in value.splitlines())
    text = f"{AROUND}  Asked:\n    Type: Test::Asked\n    Properties:\n      Value:\n  {lines}\n"
    world = World((Template("app", parse_template(text, "app.yaml"), "app.yaml"),), "us-east-1", given or {})
    return world.of_type("Test::Asked")[0].get("Value")


@pytest.mark.parametrize(("value", "expected"), [row[1:] for row in EXAMPLES], ids=[row[0] for row in EXAMPLES])
def test_examples_of_aws(value: str, expected: Any) -> None:
    assert resolved(value) == expected


def test_a_resource_gives_a_token_that_is_the_same_everywhere() -> None:
    assert resolved("!Ref Cluster") == Token("resource", "app", "Cluster")
    assert (
        resolved("!GetAtt Cluster.Arn") == resolved("Fn::GetAtt: [Cluster, Arn]") == resolved("!Sub '${Cluster.Arn}'")
    )
    joined = resolved("!Join ['/', [service, !Ref Cluster, web]]")
    assert (
        joined
        == resolved("!Sub 'service/${Cluster}/web'")
        == Text(("service/", Token("resource", "app", "Cluster"), "/web"))
    )
    assert resolved("!Split ['/', !Sub 'service/${Cluster}/web']") == [
        "service",
        Token("resource", "app", "Cluster"),
        "web",
    ]


def test_what_is_not_known_stays_open() -> None:
    assert resolved("!Ref Unknown") == Token("parameter", "app", "Unknown")
    assert resolved("!Ref Unknown", {"Unknown": "x"}) == "x"
    # The default of a parameter of Systems Manager is its name there.
    assert resolved("!Ref Kept") == Token("parameter", "app", "Kept")
    assert resolved("!If [Open, a, b]").kind == "unresolved"
    assert resolved("!If [Open, a, b]", {"Unknown": "x"}) == "a"
    assert resolved("!If [FalseWhateverOpenIs, a, b]") == "b"
    assert resolved("!If [Itself, a, b]").kind == "unresolved"
    assert resolved("!Select [0, !GetAZs '']") != resolved("!Select [1, !GetAZs '']")
    assert resolved("!ImportValue nowhere") == Token("import", "", "nowhere")
    assert resolved("!Cidr [10.0.0.0/16, 4, 8]").kind == "unresolved"
    assert resolved("'{{resolve:ssm:/web/image}}'").kind == "unresolved"


WRONG = ["!Join [',']", "!Sub [1, 2, 3]", "!Select [9, [a]]", "!Select [-1, [a]]"]
WRONG += ["!FindInMap [a]", "!If [Open]", "!GetAtt [1]", "Ref: [a]"]


@pytest.mark.parametrize("value", WRONG)
def test_what_is_written_wrongly_is_no_traceback(value: str) -> None:
    assert resolved(value).kind == "unresolved"


def test_outputs_of_nested_stacks_and_exports_of_others() -> None:
    def template(name: str, text: str) -> Template:
        return Template(name, parse_template(text, name), name, "", name)

    outer = template(
        "outer.yaml",
        """
Resources:
  Late:
    Type: AWS::CloudFormation::Stack
    Properties:
      TemplateURL: https://s3/x/late.yaml
      Parameters: {Vpc: !GetAtt Early.Outputs.Vpc, Names: !Join [',', [a, !GetAtt Early.Outputs.Vpc]]}
  Early: {Type: 'AWS::CloudFormation::Stack', Properties: {TemplateURL: ./early.yaml}}
  Gone: {Type: 'AWS::CloudFormation::Stack', Properties: {TemplateURL: ./gone.yaml}}
""",
    )
    late = template(
        "late.yaml",
        """
Parameters: {Vpc: {Type: String}, Names: {Type: CommaDelimitedList}}
Resources: {Asked: {Type: 'Test::Asked', Properties: {Vpc: !Ref Vpc, Second: !Select [1, !Ref Names], Other: !ImportValue shared}}}
""",
    )
    early = template(
        "early.yaml",
        "{Resources: {Net: {Type: 'AWS::EC2::VPC'}}, Outputs: {Vpc: {Value: !Ref Net, Export: {Name: shared}}}}",
    )
    world = World((outer, late, early), "us-east-1")
    net = Token("resource", "outer.yaml/Early", "Net")
    (asked,) = world.of_type("Test::Asked")
    assert asked.properties == {"Vpc": net, "Second": net, "Other": net}
    assert [one.logical_id for one in world.without_template()] == ["Gone"]


def test_exports_and_outputs_that_go_in_circles_end() -> None:
    text = "{Resources: {A: {Type: 'Test::Asked', Properties: {V: !ImportValue one}}}, Outputs: {O: {Value: !ImportValue one, Export: {Name: one}}}}"
    world = World((Template("a", parse_template(text, "a"), "a"),), "us-east-1")
    assert world.of_type("Test::Asked")[0].get("V") == Token("import", "", "one")
