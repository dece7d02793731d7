"""What `company.yaml` may say: the company, its roles, its processes, their steps, cards and measures."""

from __future__ import annotations

import datetime as dt
import re
from typing import Annotated, Any, Literal, get_args

import pandas as pd
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationInfo, field_validator, model_validator
from pydantic_core import PydanticCustomError

from funnel_lib.address import EXAMPLE, holds_password, names_database
from funnel_lib.errors import CallError, nearest
from funnel_lib.glossary import GLOSSARY
from funnel_lib.language.messages import Message, marked, message
from funnel_lib.schema import LEVER_PLACES, LOST, OTHER

Language = Literal["en", "ru"]
LANGUAGES = get_args(Language)
Stage = Literal["lead_generation", "conversion", "account_management"]


def _as_written(value: Any) -> Any:
    """A number or a day as the text that stands in the file (`007`, `1e5`), if it comes from one."""
    if type(value) is dt.date:
        return value.isoformat()
    if isinstance(value, bool):
        return str(value).lower()
    return getattr(value, "written", str(value)) if isinstance(value, int | float) else value


# A key of the user's: numbers are taken as they are written.
Key = Annotated[str, BeforeValidator(_as_written)]
# A text, or the same text in several languages.
Text = Annotated[str | dict[Language, Key], BeforeValidator(_as_written)]
Share = Annotated[float, Field(ge=0, le=1)]
Money = Annotated[float, Field(ge=0, le=1e12)]
Hours = Annotated[float, Field(ge=0, le=1e5)]
Days = Annotated[float, Field(ge=0, le=1e5)]
Minutes = Annotated[float, Field(ge=0, le=6e6)]
Count = Annotated[float, Field(ge=0, le=1e9)]
# Effects are shares of what there is, or points of a rate.
Change = Annotated[float, Field(ge=-1000, le=1000)]
Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]


def _moment(value: Any) -> Any:
    """A date or time, quoted or not, as ISO text; at most microseconds."""
    if isinstance(value, dt.datetime | dt.date):
        return value.isoformat()
    return value


def _real_moment(text: str) -> str:
    try:
        if not re.fullmatch(_MOMENT, text):
            raise ValueError
        dt.datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(message("expected a date such as 2026-07-01, found {text!r}", text=text)) from None
    return text


_MOMENT = r"\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?)?"
Moment = Annotated[str, BeforeValidator(_moment), AfterValidator(_real_moment)]


class Part(BaseModel):
    """What all parts of a description have in common: unknown keys are errors, nothing changes afterwards."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Step(Part):
    """One step of the funnel."""

    key: Key
    optional: bool = False
    deadline_days: Days | None = None
    name: Text | None = None


class Role(Part):
    """Kind of employee. `hour_cost` is money per hour, `paid_hours_per_month` is per person."""

    name: Text
    qualification: Literal["low", "middle", "high"] | None = None
    hour_cost: Money | None = None
    paid_hours_per_month: Hours | None = None
    people: Count | None = None


class NextLevel(Part):
    """What lifting a technology card one level would cost and free."""

    setup_cost: Money = 0
    monthly_cost: Money = 0
    hours_saved_share: Share = 0


class Card(Part):
    """A technology card: one kind of work, who does it, by what means, how long it should take."""

    key: Key
    stage: Stage
    name: Text | None = None
    role: Key | None = None
    means: str | None = None
    step: Key | None = None
    norm_minutes: Minutes | None = None
    cost: Money | None = None
    input: Text | None = None
    output: Text | None = None
    level: Annotated[int, Field(ge=0, le=4)] | None = None
    next_level: NextLevel | None = None


class Effect(Part):
    """Low, likely and high effect of a measure: rates in points (0.03 = 3 points), everything else relative."""

    low: Change
    likely: Change
    high: Change

    @model_validator(mode="after")
    def _in_order(self) -> Effect:
        if not self.low <= self.likely <= self.high:
            raise ValueError(message("expected low ≤ likely ≤ high, found {low}, {likely}, {high}", low=self.low,
                                     likely=self.likely, high=self.high))
        return self


class Trial(Part):
    """The labels of the treated and of the control group."""

    treated: Key
    control: Key


class Measure(Part):
    """A measure that is to raise a result: which lever it moves, by how much, what it costs, from when."""

    key: Key
    name: Text | None = None
    moves: str
    effect: Effect
    cost_once: Money = 0
    cost_per_month: Money = 0
    hours: dict[Key, Hours] = {}
    owner: str | None = None
    starts: Moment | None = None
    ends: Moment | None = None
    works_after_days: Days = 0
    groups: Trial | None = None

    @model_validator(mode="after")
    def _ends_after_start(self) -> Measure:
        if self.starts and self.ends and self.ends < self.starts:
            raise ValueError(message("expected ends after starts, found {starts} … {ends}", starts=self.starts, ends=self.ends))
        return self


class Plan(Part):
    """What the process has to bring in a month."""

    new_customers_per_month: Count | None = None
    revenue_per_month: Money | None = None


class Calendar(Part):
    """Working days, hours, and the country whose public holidays are free."""

    work_days: list[Weekday] = ["mon", "tue", "wed", "thu", "fri"]
    hours: tuple[str, str] = ("09:00", "18:00")
    holidays: str | None = None

    @field_validator("holidays")
    @classmethod
    def _known_country(cls, value: str | None) -> str | None:
        if value is None:
            return None
        import holidays  # loaded here: only descriptions with holidays pay for it

        known = holidays.list_supported_countries()
        country, _, part = value.partition("-")
        if country not in known:
            raise ValueError(message("expected a country such as RU, DE or DE-BY, found {value!r}.{nearest}", value=value,
                                     nearest=nearest(country, known)))
        if part and part not in known[country]:
            raise ValueError(message("expected a part of {country}, found {part!r}.{nearest}", country=country, part=part,
                                     nearest=nearest(part, known[country])))
        return value

    @field_validator("hours", mode="after")
    @classmethod
    def _clock_times(cls, value: tuple[str, str]) -> tuple[str, str]:
        times = [_time_of_day(text) for text in value]
        if times[0] >= times[1]:
            raise ValueError(message("expected the working day to end after it begins, found {start} … {end}", start=value[0],
                                     end=value[1]))
        return value


def _time_of_day(text: str) -> dt.time:
    try:
        return dt.time.fromisoformat(text)
    except ValueError:
        raise ValueError(message("expected a time of day such as 09:00, found {text!r}", text=text)) from None


class Formats(Part):
    """Answers to questions that reading asks."""

    decimal: Literal[",", "."] | None = None
    date: str | None = None
    encoding: str | None = None
    separator: str | None = None
    # The columns of a file that has no header; only a mapping says so.
    header: list[str] | None = None


def _step(value: Any) -> Any:
    return {"key": value} if isinstance(value, str | int | float | dt.date) else value


def _must_be_known(word: str | None, known: list[str], *place: str | int) -> None:
    """An error at this place of the description for a word that is not described; nothing described: anything goes."""
    if word is not None and known and word not in known:
        values = {"known": ", ".join(known), "word": word, "nearest": nearest(word, known)}
        text = (message("expected one of {known}, found {word!r}.{nearest}", **values) if known[1:] else
                message("expected {known}, found {word!r}.{nearest}", **values))
        raise PydanticCustomError("unknown_word", "{text}", {"text": text, "place": place})


class ProcessDescription(Part):
    """One sales process as its company describes it."""

    name: Text | None = None
    plan: Plan | None = None
    discount_rate_per_year: Annotated[float, Field(ge=0, le=1000)] = 0
    target_segments: list[Key] = []
    channels: list[Key] | None = None
    referral_channels: list[Key] = []
    not_leads: list[Key] = []
    lapse_factor: Annotated[float, Field(gt=0, le=1000)] = 3
    allow_set_aside_share: Share = 0.05
    conversion_window_days: Annotated[float, Field(gt=0, le=1e5)] | None = None
    margin_share: Annotated[float, Field(ge=-1, le=1)] | None = None
    steps: list[Annotated[Step, BeforeValidator(_step)]] = []
    cards: list[Card] = []
    measures: list[Measure] = []
    labels: dict[Key, Text] = {}

    @model_validator(mode="after")
    def _names_are_sound(self) -> ProcessDescription:
        for place, keys in (("steps", [step.key for step in self.steps]), ("cards", [card.key for card in self.cards]),
                            ("measures", [measure.key for measure in self.measures])):
            repeated = sorted({key for key in keys if keys.count(key) > 1})
            if repeated:
                raise ValueError(message("{place}: expected different keys, found {key!r} twice", place=place, key=repeated[0]))
        if LOST in [step.key for step in self.steps]:
            raise ValueError(message("steps: {lost!r} is no step; a lost lead is an event with that word", lost=LOST))
        if self.steps and self.steps[-1].optional:
            raise ValueError(message("steps: the last step means 'paid' and cannot be optional"))
        steps = [step.key for step in self.steps]
        for position, card in enumerate(self.cards):
            _must_be_known(card.step, steps, "cards", position, "step")
        return self

    @model_validator(mode="after")
    def _levers_are_known(self, info: ValidationInfo) -> ProcessDescription:
        """Only in files, where a person mistypes; in code the measure that cannot be computed is a finding."""
        if not info.context or not info.context.get("is_file"):
            return self
        steps = [step.key for step in self.steps]
        places = {"step": steps, "channel": [*self.channels, OTHER] if self.channels else []}
        for position, measure in enumerate(self.measures):
            kind, _, place = measure.moves.partition(".")
            _must_be_known(kind, list(LEVER_PLACES), "measures", position, "moves")
            _must_be_known(place or None, places.get(LEVER_PLACES[kind], []), "measures", position, "moves")
        return self


class CompanyDescription(Part):
    """The whole of `company.yaml`. `database` is a DuckDB file or an address that names environment variables for its secrets."""

    # A traceback shows what could not be understood, and that may be an address with a password.
    model_config = ConfigDict(hide_input_in_errors=True)

    name: Text = "Company"
    currency: str = "EUR"
    time_zone: str = "UTC"
    language: Language = "en"
    as_of: Moment | None = None
    observed_from: Moment | None = None
    database: str | None = None
    formats: Formats = Formats()
    rates: dict[str, Annotated[float, Field(gt=0, le=1e12)]] = {}
    calendar: Calendar = Calendar()
    roles: dict[Key, Role] = {}
    processes: dict[Key, ProcessDescription]

    @field_validator("database", mode="before")
    @classmethod
    def _database_without_secrets(cls, value: Any) -> Any:
        # What was found may be a password: the texts do not repeat it, and their "found" keeps others from adding it.
        if value is not None and not (isinstance(value, str) and names_database(value)):
            raise ValueError(message("expected a DuckDB file such as crm.duckdb or an address such as {example}, found "
                                     "something else", example=EXAMPLE))
        if value is not None and holds_password(value):
            raise ValueError(message("expected an environment variable in place of the password, as in {example}, found the "
                                     "password itself; take it out of the file and put it into the variable", example=EXAMPLE))
        return value

    @field_validator("time_zone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

        try:
            ZoneInfo(value)
        except (ZoneInfoNotFoundError, ValueError) as error:
            raise ValueError(message("expected a time zone such as Europe/Moscow, found {value!r}.{nearest}", value=value,
                                     nearest=nearest(value, available_timezones()))) from error
        return value

    @field_validator("currency")
    @classmethod
    def _code_of_a_currency(cls, value: str) -> str:
        if not re.fullmatch("[A-Z]{3}", value):
            from babel.numbers import list_currencies  # loaded here: only a mistake pays for it

            raise ValueError(message("expected the three letters of a currency such as EUR, found {value!r}.{nearest}",
                                     value=value, nearest=nearest(value, list_currencies())))
        return value

    @field_validator("processes")
    @classmethod
    def _some(cls, value: dict) -> dict:
        if not value:
            raise ValueError(message("expected at least one process"))
        return value

    @model_validator(mode="after")
    def _roles_are_described(self) -> CompanyDescription:
        roles = list(self.roles)
        for name, process in self.processes.items():
            for position, card in enumerate(process.cards):
                _must_be_known(card.role, roles, "processes", name, "cards", position, "role")
            for position, measure in enumerate(process.measures):
                for role in measure.hours:
                    _must_be_known(role, roles, "processes", name, "measures", position, "hours", role)
        return self

    def labels(self, name: str, language: str) -> dict[str, str]:
        """The names for a reader of everything that has a key in the process `name`, words of the glossary included."""
        process = self.processes[name]
        named = [*((step.key, step.name) for step in process.steps), *((card.key, card.name) for card in process.cards),
                 *((measure.key, measure.name) for measure in process.measures),
                 *((key, role.name) for key, role in self.roles.items()), *process.labels.items()]
        labels = {key: entry.label(language) for key, entry in GLOSSARY.items()}
        labels[name] = in_language(process.name, language, name)
        labels.update({key: in_language(text, language) for key, text in named if text})
        return labels


def moment_text(value: Any, time_zone: str, name: str = "as_of") -> str | None:
    """A moment given in a call (text, date, time) as ISO text; one with a zone of its own becomes the company's time.

    Raises `CallError` for what is no date.
    """
    if value is None or value == "":
        return None
    try:
        if isinstance(value, bool | int | float):
            raise ValueError
        moment = pd.Timestamp(dt.datetime.fromisoformat(value) if isinstance(value, str) else value)
        local = moment.tz_convert(time_zone).tz_localize(None) if moment.tz is not None else moment
        return _real_moment(local.isoformat())
    except (ValueError, TypeError, KeyError):
        raise CallError(message("{name}: expected a date such as 2026-07-01, found {value!r}", name=name,
                                value=str(value))) from None


_KEYS, _LIST, _TEXT = marked("expected keys with values"), marked("expected a list"), marked("expected a text")
_NUMBER, _WHOLE, _FLAG = marked("expected a number"), marked("expected a whole number"), marked("expected true or false")
_MEANT = {"dict_type": _KEYS, "model_type": _KEYS, "model_attributes_type": _KEYS, "list_type": _LIST, "tuple_type": _LIST,
          "string_type": _TEXT, "float_type": _NUMBER, "float_parsing": _NUMBER, "int_type": _WHOLE, "int_parsing": _WHOLE,
          "int_from_float": _WHOLE, "bool_type": _FLAG, "bool_parsing": _FLAG, "finite_number": marked("expected a finite number"),
          "greater_than": marked("expected more than {gt}"), "greater_than_equal": marked("expected at least {ge}"),
          "less_than": marked("expected less than {lt}"), "less_than_equal": marked("expected at most {le}"),
          "literal_error": marked("expected {expected}"), "missing": marked("this key is required and missing"),
          "extra_forbidden": marked("this key is not known"),
          "too_short": marked("expected at least so many entries: {min_length}, found {actual_length}"),
          "too_long": marked("expected at most so many entries: {max_length}, found {actual_length}")}


def in_plain_words(error: dict) -> tuple[list, Message]:
    """Place and message of one of pydantic's errors, as a person would say it."""
    place = [part for part in error["loc"]
             if not (isinstance(part, str) and (part == "str" or part.startswith(("function-", "dict["))))]
    given = error.get("ctx", {})
    place += given.get("place", ())
    meant = _MEANT.get(error["type"])
    if meant:
        what = message(meant, **{key: _written(key, value) for key, value in given.items()})
    elif error["type"] == "unknown_word":
        what = given["text"]
    else:
        raised = given["error"].args[0] if "error" in given else error["msg"]
        what = raised if isinstance(raised, Message) else message(raised[:1].lower() + raised[1:])
    if "found" in what or error["type"] in ("missing", "extra_forbidden"):
        return place, what
    return place, message("{expected}, found {value}", expected=what, value=repr(error["input"])[:60])


def _written(key: str, value: Any) -> Any:
    """A value of pydantic's in a message: numbers as people write them, alternatives ("'a', 'b' or 'c'") in any language."""
    if key == "expected":
        first, _, last = value.rpartition(" or ")
        return message("{first} or {last}", first=first, last=last) if first else last
    return f"{value:.15g}" if isinstance(value, float) else value


def shown_place(place: list) -> str:
    """A place in a description: keys joined by points, entries of a list counted from 1."""
    return ".".join(str(part + 1 if isinstance(part, int) else part) for part in place)


def in_language(text: Text | None, language: str, otherwise: str = "") -> str:
    """The text in this language, else in any, else `otherwise`.

    >>> in_language({"en": "Wholesale", "ru": "Опт"}, "ru")
    'Опт'
    """
    if isinstance(text, dict):
        return text.get(language) or next(iter(text.values()), otherwise)
    return text if text else otherwise
