"""A ClinicalTrials.gov study as pasted or uploaded on a page."""

from __future__ import annotations

import hashlib
from typing import Any

from django import forms
from django.core.files.uploadedfile import UploadedFile
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from registry.rest import decode

MOST_BYTES = 2_000_000


class StudyForm(forms.Form):
    """The study as text: nothing but its content is looked at, whatever a file is called."""

    study = forms.CharField(
        label=gettext_lazy("The study's JSON"),
        help_text=gettext_lazy(
            "As ClinicalTrials.gov gives it: Download, JSON; or GET /api/v2/studies/{id}."
        ),
        required=False,
        strip=False,
        widget=forms.Textarea(attrs={"rows": 8, "spellcheck": "false", "autocomplete": "off"}),
    )
    file = forms.FileField(
        label=gettext_lazy("Or a file"),
        help_text=gettext_lazy("At most 2 MB; it takes the place of what is pasted."),
        required=False,
        widget=forms.FileInput(attrs={"accept": ".json,application/json"}),
    )
    checked = forms.CharField(required=False, widget=forms.HiddenInput)

    text = ""
    document: Any = None

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["study"].validators = []  # another registry's texts: `import_study` cleans them

    @property
    def fingerprint(self) -> str:
        """What the text is known by: browsers end lines in their own way."""
        return hashlib.sha256(self.text.replace("\r\n", "\n").encode()).hexdigest()

    @property
    def shown_before(self) -> bool:
        """Whether this very text was shown as it would be stored."""
        return self.cleaned_data.get("checked") == self.fingerprint

    def clean_file(self) -> str | None:
        """The file's text."""
        file = self.cleaned_data["file"]
        if not isinstance(file, UploadedFile):
            return None
        if (file.size or 0) > MOST_BYTES:
            raise forms.ValidationError(_("At most 2 MB."))
        try:
            text: str = file.read().decode("utf-8-sig")
        except UnicodeDecodeError as error:
            raise forms.ValidationError(_("This is no text in UTF-8.")) from error
        return text

    def clean(self) -> None:
        """Decode the JSON; what is wrong with it stands at the field that it came from."""
        if self.errors:
            return
        uploaded = self.cleaned_data["file"]
        source = "study" if uploaded is None else "file"
        self.text = self.cleaned_data[source] or ""
        encoded = self.text.encode(errors="replace")
        try:
            if len(encoded) > MOST_BYTES:
                raise ValueError(_("At most 2 MB."))
            if not self.text.strip():
                raise ValueError(_("Paste a study, or choose a file."))
            self.document = decode(encoded)
        except ValueError as error:
            self.add_error(source, str(error))
