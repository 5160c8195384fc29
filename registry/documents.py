"""Answers of the API as types: what a document holds, once, for mypy and for OpenAPI.

To describe a new answer:

1. A `TypedDict` of typing_extensions in the app's `documents.py`, named `...Document`; every key
   that is not `NotRequired` is always there. `CalendarDate`, `Moment`, `Link` and `Versioned` are below;
   controlled terms are the StrEnum that the value has; `Annotated[..., Field(description=...)]`
   where a reader would ask.
2. The function that builds the answer returns that type: mypy holds the one against the other.
3. `@extend_schema(request=ASerializer, responses=ADocument)` on the view's method. A view with a
   `pagination_class` answers pages of it and names its `filters`; a document with a `version` carries an ETag; problem
   answers, If-Match and `reason` follow from the method and the path (`registry.schema`). A
   problem with members of its own is declared like any answer, with its media type:
   `{(400, PROBLEM): ImportProblemDocument}`.
4. A row in `tests/contract/calls.py`: every operation and every answer is driven for real there,
   and every answer of every other API test is held against the document too.
"""

from __future__ import annotations

from typing import Annotated, Any, NotRequired

from pydantic import Field, GetCoreSchemaHandler, WithJsonSchema
from pydantic_core import CoreSchema
from typing_extensions import TypedDict

CalendarDate = Annotated[str, WithJsonSchema({"type": "string", "format": "date"})]
Moment = Annotated[str, WithJsonSchema({"type": "string", "format": "date-time"})]
Link = Annotated[str, WithJsonSchema({"type": "string", "format": "uri-reference"})]
Id = Annotated[int, Field(ge=1)]
Count = Annotated[int, Field(ge=0)]


class As:
    """`Annotated[dict[str, Any], As(Model)]`: a dumped pydantic model, described as the model."""

    def __init__(self, model: type[Any]) -> None:
        self.model = model

    def __get_pydantic_core_schema__(
        self, source: object, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        return handler.generate_schema(self.model)


class Versioned(TypedDict):
    """What every stored object answers with."""

    id: Id
    version: Annotated[
        int, Field(ge=1, description="Counts the changes; the ETag, and what If-Match takes.")
    ]


class ProblemErrorDocument(TypedDict):
    """One thing that is wrong, and where: in the body or in a query parameter."""

    pointer: NotRequired[
        Annotated[str, Field(description="A JSON Pointer into the body, such as /targets/0/organ.")]
    ]
    parameter: NotRequired[Annotated[str, Field(description="The query parameter's name.")]]
    detail: Annotated[str, Field(description="What is wrong and what would be accepted.")]


class ProblemDocument(TypedDict):
    """RFC 9457 problem document."""

    type: str
    title: str
    status: Annotated[int, Field(ge=400, le=599)]
    detail: str
    parameter: NotRequired[Annotated[str, Field(description="The query parameter at fault.")]]
    errors: NotRequired[list[ProblemErrorDocument]]
