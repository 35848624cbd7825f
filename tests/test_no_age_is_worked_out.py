"""Nothing here works out how old somebody is: no library that could is installed, and no code names what such one does.

It says no more than that: what a browser or a person could do with a picture is no code of ours.
"""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
CODE = ("client", "media", "operate", "practice", "rooms", "signaling", "turn", "vault", "web")
SUFFIXES = {".py", ".js", ".html", ".c", ".h"}

LIBRARIES = re.compile(
    r"(?im)^(?:deepface|insightface|face[-_]recognition|dlib|opencv[-\w]*|mediapipe|facenet[-\w]*|mtcnn|retina[-_]?face|"
    r"tensorflow[-\w]*|torch[-\w]*|keras|onnx[-\w]*|transformers|scikit[-_]learn|speechbrain|librosa|pyannote[-.\w]*|"
    r"openvino|paddle[-\w]*|yoti[-\w]*|boto3|azure[-\w]*|google-cloud-vision)\b"
)
"""That look at faces or voices, or ask a service that does."""

CALLS = re.compile(
    r"(?i:(?:estimat|predict|detect|classif|guess|infer|verif)[a-z]*[_ ]ages?\b)|"
    r"(?:estimate|predict|detect|classify|guess|infer|verify)Ages?\b|"
    r"(?i:\bage[_ ](?:estimat|predict|detect|classif|verif))|"
    r"\bFaceDetector\b|face[_-]api|BlazeFace|faceLandmark"
)


@pytest.mark.duty("S-17")
def test_no_library_is_installed_that_could_work_out_an_age() -> None:
    for name in ("requirements.txt", "requirements-dev.txt", "requirements-source.txt"):
        assert LIBRARIES.findall((ROOT / name).read_text()) == [], name
    for packages in ROOT.glob("**/package-lock.json"):
        if "node_modules" not in packages.parts[:-1]:
            named = re.findall(r'"node_modules/([^"]+)"', packages.read_text())
            assert LIBRARIES.findall("\n".join(named)) == [], packages
    assert LIBRARIES.findall("deepface==1.0\n") and LIBRARIES.findall("torchvision==1.0\n")


@pytest.mark.duty("S-17")
def test_no_code_names_what_works_out_an_age() -> None:
    found = [
        (str(path.relative_to(ROOT)), match)
        for folder in CODE
        for path in (ROOT / folder).rglob("*")
        if path.suffix in SUFFIXES and "node_modules" not in path.parts
        for match in CALLS.findall(path.read_text(encoding="utf-8", errors="replace"))
    ]
    assert found == []
    assert CALLS.search("estimate_age(frame)") and CALLS.search("detectAge(x)") and CALLS.search("new FaceDetector()")
