"""The JUnit schema of Jenkins, with the two attributes of a test case that GitLab reads and it does not know."""

from pathlib import Path

from lxml import etree

_XSD = "{http://www.w3.org/2001/XMLSchema}"


def junit_schema() -> etree.XMLSchema:
    tree = etree.parse(str(Path(__file__).parents[1] / "data" / "junit-10.xsd"))
    declared = tree.find(f"{_XSD}element[@name='testcase']/{_XSD}complexType")
    assert declared is not None
    for name, kind in (("file", "xs:string"), ("line", "xs:positiveInteger")):
        etree.SubElement(declared, f"{_XSD}attribute", name=name, type=kind)
    return etree.XMLSchema(tree)
