"""`docs/openapi.yaml` is what the code says, and says it of every route."""

from django.conf import settings

from chatproject.management.commands.documents import FILE, openapi


def test_the_document_is_what_the_code_says_and_nothing_in_it_is_doubtful() -> None:
    assert openapi() == (settings.BASE_DIR / FILE).read_bytes(), "run `manage.py documents`"
