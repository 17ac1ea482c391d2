"""The SVG: well-formed, self-contained, told in words too, and as wide as what is in it."""

import re
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from orchestrator.compile import compile_text
from orchestrator.plan.graph import Graph, Standing, graph_of, svg
from orchestrator.plan.graph.svg import text_width
from orchestrator.plan.model import Plan
from tests.support.plans import job, plan

GOLDEN = Path(__file__).parents[3] / "golden"
NS = "{http://www.w3.org/2000/svg}"


def compiled(path: str) -> Plan:
    return compile_text((GOLDEN / path).read_bytes(), "spec.yaml").plan


def parsed(graph: Graph) -> ET.Element:
    return ET.fromstring(svg(graph))


@pytest.mark.parametrize(
    "path", ["_graphs/awkward.yaml", "conditions/spec.yaml", "example-ci-pipeline/spec.yaml"]
)
def test_every_job_and_edge_is_drawn_and_told(path: str) -> None:
    of = compiled(path)
    graph = graph_of(of)
    root = parsed(graph)
    told = [element.text or "" for element in root.iter(f"{NS}title")]
    assert told[0] == of.spec
    assert [text.split(" (")[0] for text in told if "(container)" in text] == list(of.jobs)
    assert sum(" waits for " in text and "(container)" not in text for text in told) == len(graph.edges)
    assert len([path for path in root.iter(f"{NS}path") if "marker-end" in path.attrib]) == len(graph.edges)
    assert root.find(f"{NS}desc") is not None
    assert svg(graph) == svg(graph_of(of))


def test_nothing_is_run_or_fetched() -> None:
    text = svg(graph_of(compiled("_graphs/awkward.yaml")))
    assert {element.tag.removeprefix(NS) for element in ET.fromstring(text).iter()} == {
        "svg", "title", "desc", "style", "defs", "marker", "path", "rect", "text", "g",
    }  # fmt: skip
    names = {name for element in ET.fromstring(text).iter() for name in element.attrib}
    assert not [name for name in names if name.startswith("on") or name.endswith("href")]
    assert "@import" not in text
    assert "@media(prefers-color-scheme:dark)" in text
    assert set(re.findall(r"url\((.*?)\)", text)) == {"#head", "#head-long"}


def test_what_is_drawn_lies_on_the_page() -> None:
    for path in ("conditions/spec.yaml", "example-ci-pipeline/spec.yaml", "parallel-with/spec.yaml"):
        root = parsed(graph_of(compiled(path)))
        group = root.find(f"{NS}g")
        assert group is not None
        shift = [float(word) for word in re.findall(r"[\d.]+", group.attrib["transform"])]
        for rect in group.iter(f"{NS}rect"):
            x, y, width, height = (float(rect.attrib[key]) for key in ("x", "y", "width", "height"))
            assert 0 < x + shift[0] <= float(root.attrib["width"]) - width
            assert 0 < y + shift[1] <= float(root.attrib["height"]) - height


def test_finalizers_alone_are_framed() -> None:
    root = parsed(graph_of(plan(job("last", finalizer=True, on_complete="always"))))
    assert "when everything else is done" in [text.text for text in root.iter(f"{NS}text")]


def test_a_run_has_its_states_in_words_and_colours() -> None:
    of = plan(job("a"), job("b"))
    graph = graph_of(
        of,
        run="r-1",
        run_status="failed",
        standings={"a": Standing("failed", "4/6 passed"), "b": Standing("skipped")},
    )
    root = parsed(graph)
    assert root.findtext(f"{NS}title") == "r-1"
    assert "2 jobs, 0 edges: 1 failed, 1 skipped" in (root.findtext(f"{NS}desc") or "")
    texts = {text.text: text.attrib["class"] for text in root.iter(f"{NS}text")}
    assert texts["failed, 4/6 passed"] == "line failed"
    assert texts["skipped"] == "line skipped"
    assert [rect.attrib["class"] for rect in root.iter(f"{NS}rect")][1:] == ["box failed", "box skipped"]


def test_control_characters_stay_out() -> None:
    root = parsed(graph_of(plan(job("a", image="x\x00\x1b[31m\ufffe\x85y"))))
    assert "x[31my" in [(text.text or "").replace(" ", "") for text in root.iter(f"{NS}text")]


def test_wide_characters_take_room() -> None:
    assert text_width("日本", 10) > 2 * text_width("ab", 10) * 0.8
    assert text_width("ill", 10) < text_width("abc", 10) < text_width("MWM", 10)
