"""Forms and settings as YAML: what comes along, what others wrote, and what is broken."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from examples.forms.errors import FormFileError
from examples.forms.form import Company
from examples.forms.loader import companies, load_company, load_form
from examples.forms.tree import TreeSettings, read_settings
from hypothesis import given
from hypothesis import strategies as st

FORM = """\
name: Order
description: Orders something.
parameters:
  type: object
  properties:
    size:
      type: string
      enum: [small, large]
    count:
      type: integer
      minimum: 1
      maximum: 9
    street:
      type: string
  required: [size]
  allOf:
    - if: {properties: {size: {const: large}}}
      then: {required: [street]}
"""


def test_six_companies_with_ten_forms_each() -> None:
    train, test = companies("train"), companies("test")
    assert len(train) + len(test) == 6
    assert train
    assert test
    assert not set(train) & set(test)
    assert {len(company.forms) for company in companies().values()} == {10}
    names = [(c.name, name) for c in companies().values() for name in c.forms]
    assert len(set(names)) == 60


@pytest.mark.parametrize("company", companies().values(), ids=list(companies()))
def test_forms_have_slots_of_all_kinds(company: Company) -> None:
    slots = [slot for form in company.forms.values() for slot in form.slots.values()]
    assert all(3 <= len(form.slots) <= 10 for form in company.forms.values())
    assert any(slot.choices for slot in slots)
    assert any(slot.schema.get("format") == "date" for slot in slots)
    assert any(slot.schema["type"] in ("integer", "number") for slot in slots)
    assert any(slot.conditions for slot in slots)
    assert any(not slot.required for slot in slots)


def test_an_agent_is_not_told_examples() -> None:
    form = companies()["northline"].forms["BookSeat"]
    assert "examples" in form.slots["email"].schema
    assert "examples" not in str(form.told())


def test_forms_of_tapeagents_load_unchanged(data_dir: Path) -> None:
    folders = sorted((data_dir / "tapeagents" / "forms").iterdir())
    loaded = [load_company(folder) for folder in folders]
    assert [len(company.forms) for company in loaded] == [10, 10, 10]
    for company in loaded:
        assert company.description
        for path in (company.folder or Path()).glob("*.yaml"):
            written = yaml.safe_load(path.read_text())
            assert company.forms[written["name"]].schema == written


@pytest.mark.parametrize(
    ("old", "new", "line", "says"),
    [
        ("name: Order", "nmae: Order", 1, "do you mean `name`"),
        ("type: integer", "type: whole", 10, "'integer'"),
        ("minimum: 1", "minimum: 19", 11, "nothing can be in `count`"),
        ("enum: [small, large]", "enum: []", 8, "nothing to choose from"),
        ("enum: [small, large]", "enum: [small, 3]", 8, "`3` is no string"),
        ("enum: [small, large]", "enum: [small, small]", 8, "stands twice"),
        ("enum: [small, large]", 'pattern: "("', 8, "no pattern"),
        ("required: [size]", "required: [size, weight]", 15, "there is no slot `weight`"),
        ("{const: large}", "{const: huge}", 17, "this can never hold"),
        ("{const: large}", "{}", 17, "either a `const` or an `enum`"),
        ("{size: {const", "{colour: {const", 17, "there is no slot `colour`"),
        ("then: {required: [street]}", "then: {required: [size]}", 18, "leave one"),
        ("    street:\n      type: string\n", "", 16, "there is no slot `street`"),
        ("count:", "size:", 9, "`size` stands here twice"),
        ("maximum: 9", "maximum: 9\n      default: 12", 13, "`12` does not fit `count`"),
        ("minimum: 1\n      maximum: 9", "minimum: 1.2\n      maximum: 1.8", 11, "no whole number"),
        ("[small, large]", "[small, large]\n      pattern: ^[ls]m", 8, "`large` does not fit the"),
        ("[small, large]", "[small, large]\n      format: date", 8, "it has to be a date"),
        ("maximum: 9", "maxLength: 9", 12, "`maxLength` says nothing of `count`"),
        (
            "      type: string\n  req",
            "      type: string\n      format: dat\n  req",
            15,
            "mean `date`",
        ),
        (
            "      type: string\n  req",
            "      type: array\n      items: {type: txt}\n  req",
            15,
            "items.type",
        ),
        (
            "      type: string\n  req",
            "      type: array\n      items: {enum: []}\n  req",
            15,
            "enum",
        ),
        ("required: [size]", "required: [size, size]", 15, "`size` stands twice"),
    ],
)
def test_a_broken_form_is_told_with_file_and_line(
    tmp_path: Path, old: str, new: str, line: int, says: str
) -> None:
    assert old in FORM
    path = tmp_path / "order.yaml"
    path.write_text(FORM.replace(old, new, 1))
    with pytest.raises(FormFileError) as caught:
        load_form(path)
    assert says in caught.value.message
    assert f"{path}:" in caught.value.message
    if says and "stands here" not in says:
        assert f"{path}:{line}: " in caught.value.message


def test_slots_that_wait_for_each_other_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "order.yaml"
    circle = "    - if: {properties: {street: {const: x}}}\n      then: {required: [count]}\n"
    back = "    - if: {properties: {count: {const: 2}}}\n      then: {required: [street]}\n"
    path.write_text(FORM.replace("  required: [size]\n", "").split("    - if")[0] + circle + back)
    with pytest.raises(FormFileError, match="nobody can begin"):
        load_form(path)


@given(st.text(max_size=200))
def test_garbage_is_an_error_and_nothing_else(tmp_path_factory: object, text: str) -> None:
    path = tmp_path_factory.mktemp("garbage") / "form.yaml"  # type: ignore[attr-defined]
    path.write_bytes(text.encode("utf-8", "surrogatepass"))
    with pytest.raises(FormFileError):
        load_form(path)


def test_an_empty_folder_and_a_form_twice(tmp_path: Path) -> None:
    with pytest.raises(FormFileError, match="no forms here"):
        load_company(tmp_path)
    for name in ("a", "b"):
        (tmp_path / f"{name}.yaml").write_text(FORM)
    with pytest.raises(FormFileError, match="two forms `Order`"):
        load_company(tmp_path)


def test_settings_are_read(tmp_path: Path) -> None:
    path = tmp_path / "tree.yaml"
    path.write_text("companies: [parcelo]\nbehaviours: {off_topic: 0}\ndialogues: 20\nroots: 5\n")
    settings = read_settings(path)
    assert settings == TreeSettings(
        companies=["parcelo"], behaviours={"off_topic": 0}, dialogues=20, roots=5
    )


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        ("seed: 1\nbehaviours:\n  of_topic: 1\n", 3, "do you mean `off_topic`"),
        ("behaviours:\n  leave: -1\n", 2, "0 or more"),
        ("dialogues: 10\nroots: 20\n", 1, "20 `roots` are more than 10 `dialogues`"),
        ("seed: 1\ncompanies: [northline, northwind]\n", 2, "there is no company `northwind`"),
        ("model: openai:gpt-5-mini\nerrors: {hide: 0.5}\n", 1, "`errors` are for the model"),
        ("errors:\n  hide: 2\n", 2, "less than or equal to 1"),
        ("seed: 1\nagent: tutor\n", 2, "'teacher' or 'student'"),
        ("behaviours: {init_short: 0, init_ask: 0, init_unknown: 0}\n", 1, "group `opening`"),
        ("seed: 1\nseed: 2\n", 2, "`seed` stands here twice"),
        ("seed: 1\nmodel: gpt-5-mini\n", 2, "`gpt-5-mini` names no model: write `openai:NAME`"),
        ("seed: 1\nuser_model: rule\n", 2, "`rule` names no model"),
    ],
)
def test_contradictory_settings_are_told_with_file_and_line(
    tmp_path: Path, text: str, line: int, says: str
) -> None:
    path = tmp_path / "tree.yaml"
    path.write_text(text)
    with pytest.raises(FormFileError) as caught:
        read_settings(path)
    assert caught.value.message.startswith(f"{path}:{line}: ")
    assert says in caught.value.message
