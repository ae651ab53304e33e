"""The report in headless Chromium: on a phone, a tablet, a screen and paper."""

from __future__ import annotations

import io
import re

import browser
import numpy as np
import pytest
from PIL import Image

from diffpair.report.html import write_comparison

pytestmark = pytest.mark.skipif(browser.PROGRAM is None, reason="there is no Chromium")


@pytest.fixture(scope="module")
def chromium(tmp_path_factory):
    with browser.Browser(tmp_path_factory.mktemp("chromium")) as running:
        yield running


@pytest.fixture(scope="module", params=["report", "comparison"])
def page(request, finished, tmp_path_factory):
    if request.param == "report":
        return finished / "report.html"
    return write_comparison([finished, finished], tmp_path_factory.mktemp("page") / "comparison.html")


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("width", [390, 820, 1400])
def test_it_fits_and_asks_for_nothing(chromium, page, width, dark):
    seen = chromium.see(page, width, 900, dark=dark)
    assert seen.complaints == []
    assert [url for url in seen.requests if not url.startswith("data:")] == [page.resolve().as_uri()]
    content, window = seen.width
    assert content <= window == width, "nobody scrolls sideways"
    pixels = np.asarray(Image.open(io.BytesIO(seen.picture)).convert("L"))
    assert pixels.shape == (900, width) and pixels.std() > 5
    assert (np.median(pixels) < 60) == dark
    assert seen.paper.startswith(b"%PDF") and len(re.findall(rb"/Type /Page\b", seen.paper)) <= 8


def test_a_complaint_or_a_request_would_be_seen(chromium, finished, tmp_path):
    """The test above can fail."""
    source = (finished / "report.html").read_text()
    bad = tmp_path / "bad.html"
    bad.write_text(source.replace("<main>", '<main><script>alert(1)</script><img src="http://there.invalid/x.png">'))
    seen = chromium.see(bad, 820, 900)
    assert seen.complaints and any("Content Security Policy" in text for text in seen.complaints)
    bare = tmp_path / "bare.html"
    bare.write_text(re.sub(r"<meta http-equiv[^>]*>", "", bad.read_text()).replace("alert(1)", "nothing()"))
    seen = chromium.see(bare, 820, 900)
    assert "http://there.invalid/x.png" in seen.requests and any("nothing" in text for text in seen.complaints)


def test_a_click_saves_the_data(chromium, finished):
    chromium.see(finished / "report.html", 820, 900, click='a[download="rdf-A-A-liquid.csv"]')
    saved = np.loadtxt(chromium.folder / "rdf-A-A-liquid.csv", delimiter=",", skiprows=1)
    wanted = np.loadtxt(finished.parent / "rdf.csv", delimiter=",", skiprows=1)
    np.testing.assert_allclose(saved[:, 2], np.interp(saved[:, 0], *wanted.T), atol=1e-7)
