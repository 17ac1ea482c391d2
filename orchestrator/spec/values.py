"""What all shapes of a spec are made of: the base of the models, and values that many keys have."""

from typing import Annotated, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from orchestrator.spec import shapes

T = TypeVar("T")

Given = Annotated[T | None, BeforeValidator(shapes.something)]
"""None means that the spec does not say; an empty value after the key is an error."""
Name = Annotated[str, Field(min_length=1)]
Text = Annotated[str, Field(min_length=1)]
Texts = Annotated[tuple[str, ...], BeforeValidator(shapes.many)]
Names = Annotated[tuple[Name, ...], BeforeValidator(shapes.many)]
Seconds = Annotated[float, BeforeValidator(shapes.duration)]
PositiveSeconds = Annotated[float, BeforeValidator(shapes.positive_duration)]
Condition = Annotated[str, BeforeValidator(shapes.condition)]
Count = Annotated[int, Field(ge=1)]


class Shape(BaseModel):
    """Base of all: immutable, no unknown keys, no silent conversions."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)
