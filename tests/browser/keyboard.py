"""A coordinator who has no mouse: Tab until a control has the focus, Enter, arrows and typing."""

from __future__ import annotations

import re
from dataclasses import dataclass

from playwright.sync_api import Page, expect

FAR = 25  # tab stops; what is farther than this is out of reach
FOCUSED = """() => {
  const at = document.activeElement;
  if (!at || at === document.body) return "";
  const group = at.closest("fieldset")?.querySelector("legend")?.textContent ?? "";
  const labels = [...(at.labels ?? [])].map((label) => label.textContent).join(" ");
  const said = at.matches("a, button, summary") ? at.textContent : "";
  const own = at.ariaLabel || labels || said;
  return `${group} ${own}`.replace(/\\s+/g, " ").trim();
}"""


@dataclass
class Keyboard:
    """The keys of a page; nothing else is used but `goto`."""

    page: Page

    def focused(self) -> str:
        """The name of what has the focus."""
        return str(self.page.evaluate(FOCUSED))

    def reach(self, name: str) -> None:
        """Tab until the control of that name, a regular expression, has the focus."""
        passed = [self.focused()]
        while not re.search(name, passed[-1]):
            assert len(passed) <= FAR, f"{name} is out of reach: {passed}"
            self.page.keyboard.press("Tab")
            passed.append(self.focused())

    def press(self, *keys: str) -> None:
        """Strike keys, one after the other."""
        for key in keys:
            self.page.keyboard.press(key)

    def type(self, text: str) -> None:
        """Type into what has the focus."""
        self.page.keyboard.type(text)

    def fill(self, name: str, text: str) -> None:
        """Tab to a field, which selects what is in it, and type."""
        self.reach(name)
        self.type(text)

    def choose(self, question: str, answer: str) -> None:
        """Tab to a group of radio buttons, and by the arrows to one of them."""
        self.reach(question)
        for _ in range(10):
            if self.focused().endswith(f" {answer}"):
                break
            self.press("ArrowRight")
        self.press("Space")
        assert self.focused().endswith(f" {answer}"), self.focused()

    def follow(self, name: str, title: str) -> None:
        """Tab to a link or a button and press it; what opens has that title."""
        self.reach(name)
        self.press("Enter")
        self.arrive(title)

    def skip(self) -> None:
        """From the top of a page to its content, by the first link."""
        self.reach("Skip to the content")
        self.press("Enter")

    def search(self, subject_id: str) -> None:
        """To a patient from anywhere."""
        self.press("/")
        self.type(subject_id)
        self.press("Enter")
        self.arrive(f"^{subject_id}")

    def arrive(self, title: str) -> None:
        """Wait for a page whose scripts have run."""
        expect(self.page).to_have_title(re.compile(title))
        self.page.wait_for_load_state("load")
