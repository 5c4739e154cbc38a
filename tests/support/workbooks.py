"""Excel workbooks as bytes, small and as odd as a test needs them."""

import io
import zipfile


def workbook(**sheets: str) -> bytes:
    """Return an .xlsx file whose sheets have these rows of cells, as XML. Style 1 is a date's."""
    relation = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    names = "".join(f'<sheet name="{name}" sheetId="{n}" r:id="r{n}"/>' for n, name in enumerate(sheets, 1))
    targets = "".join(
        f'<Relationship Id="r{n}" Type="{relation}/worksheet" Target="worksheets/sheet{n}.xml"/>'
        for n in range(1, len(sheets) + 1)
    )
    files = {
        "xl/workbook.xml": (
            f'<workbook xmlns="{main}" xmlns:r="{relation}"><sheets>{names}</sheets></workbook>'
        ),
        "xl/_rels/workbook.xml.rels": f"<Relationships>{targets}</Relationships>",
        "xl/styles.xml": (
            f'<styleSheet xmlns="{main}"><cellXfs><xf numFmtId="0"/><xf numFmtId="14"/></cellXfs>'
            "</styleSheet>"
        ),
    }
    for number, rows in enumerate(sheets.values(), 1):
        files[f"xl/worksheets/sheet{number}.xml"] = (
            f'<worksheet xmlns="{main}"><sheetData>{rows}</sheetData></worksheet>'
        )
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return data.getvalue()


def line(number: int, *cells: str) -> str:
    """Return a row of a sheet; a cell is a text, a number, or a date's number after a "d"."""

    def cell(place: int, value: str) -> str:
        name = f"{chr(65 + place)}{number}"
        if value.removeprefix("d").replace(".", "").isdigit():
            style = ' s="1"' if value.startswith("d") else ""
            return f'<c r="{name}"{style}><v>{value.removeprefix("d")}</v></c>'
        return f'<c r="{name}" t="inlineStr"><is><t>{value}</t></is></c>'

    return f'<row r="{number}">{"".join(cell(place, value) for place, value in enumerate(cells))}</row>'
