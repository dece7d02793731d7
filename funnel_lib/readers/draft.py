"""A first `company.yaml` from the data: what could be found is filled in, what could not is left to fill in, with comments."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import duckdb

from funnel_lib.description import CompanyDescription, ProcessDescription
from funnel_lib.readers.columns import quoted
from funnel_lib.schema import LOST

WON = "won"
# A free text typed as a channel is no list of channels.
MOST_CHANNELS = 30
MOST_EMPLOYEES_NAMED = 8
_CHANNEL_TABLES = ("leads", "counts", "orders", "spend")
_EMPLOYEES = (("leads", "owner"), ("stage_events", "employee"), ("work", "employee"))


@dataclass(frozen=True)
class Found:
    """What the imported tables say: per process its steps with the reason for their place, and its channels."""

    currencies: list[str]
    employees: list[str]
    roles: list[str]
    processes: dict[str, str]
    steps: dict[str, list[tuple[str, str]]]
    channels: dict[str, list[str]]


def draft(known: dict[str, Any], known_processes: dict[str, dict[str, Any]], found: Found, language: str) -> str:
    """The text of a `company.yaml`: what the mapping says, then what was found, comments in this language."""
    say = _COMMENTS[language]
    known = dict(known)
    guess = found.currencies[0] if found.currencies else "RUB" if language == "ru" else "EUR"
    zone = known.pop("time_zone", None)
    currency = known.pop("currency", None)
    lines = [*_comment(say["head"]), f"name: {flow(known.pop('name', say['name']))}",
             f"currency: {currency or guess}" + ("" if currency or found.currencies else f"    # {say['assumed']}")]
    lines += [f"# {say['rates']}", f"# rates: {{{', '.join(f'{code}: 1.0' for code in found.currencies[1:])}}}"
              ] if found.currencies[1:] and "rates" not in known else []
    lines += [f"time_zone: {zone or ('Europe/Moscow' if language == 'ru' else 'UTC')}    # {say['time_zone']}",
              f"language: {language}"]
    known.pop("language", None)
    lines += [f"{name}: {flow(value)}" for name, value in known.items() if name != "roles"]
    lines += [] if "as_of" in known else [f"# as_of: 2026-07-01    # {say['as_of']}"]
    lines += ["", *_roles(known.get("roles"), found, language), "", "processes:"]
    for process in dict.fromkeys([*known_processes, *found.processes]):
        lines += _process(process, known_processes.get(process, {}), found, language)
    return "\n".join(lines) + "\n"


def _roles(known: dict | None, found: Found, language: str) -> list[str]:
    say = _COMMENTS[language]
    lines = _comment(say["roles"])
    if known:
        return [*lines, "roles:", *(f"  {flow(key)}: {flow(role)}" for key, role in known.items())]
    if found.roles:
        return [*lines, "roles:", *(f"  {flow(key)}: {{name: {flow(key)}}}" for key in found.roles)]
    if not found.employees:
        return [*lines, "# roles:", f"#   {say['role']}"]
    names = ", ".join(" ".join(name.split()) for name in found.employees[:MOST_EMPLOYEES_NAMED])
    more = ", …" if len(found.employees) > MOST_EMPLOYEES_NAMED else ""
    return [*lines, f"# {say['employees'].format(count=len(found.employees), names=names + more)}", "roles:",
            f"  seller: {{name: {say['seller']}, people: {len(found.employees)}}}", f"#   {say['role']}"]


def _process(key: str, known: dict[str, Any], found: Found, language: str) -> list[str]:
    say = _COMMENTS[language]
    known = dict(known)
    title = known.pop("name", found.processes.get(key, key))
    lines = [f"  {flow(key)}:", f"    name: {flow(title)}"]
    lines += [] if "plan" in known else [f"    # {say['plan']}", "    # plan: {new_customers_per_month: 25}"]
    lines += [] if "conversion_window_days" in known else [f"    # {say['window']}", "    # conversion_window_days: 90"]
    lines += [] if "margin_share" in known else [f"    # {say['margin']}", "    # margin_share: 0.25"]
    if "steps" in known:
        steps = [step["key"] if isinstance(step, dict) and set(step) == {"key"} else step for step in known.pop("steps")]
        lines += [f"    # {say['steps_known']}", f"    steps: {flow(steps)}"]
    elif found.steps.get(key):
        lines += [f"    # {say['steps']}", "    steps:"]
        lines += [f"      - {flow(step)}" + (f"    # {why}" if why else "") for step, why in found.steps[key]]
    else:
        lines += [f"    # {say['no_steps']}", f"    # steps: [{say['step']}, {WON}]"]
    channels = found.channels.get(key, [])
    if "channels" not in known and channels:
        off = "# " if len(channels) > MOST_CHANNELS else ""
        shown = flow(channels[:MOST_CHANNELS])
        lines += [f"    # {say['many_channels' if off else 'channels'].format(count=len(channels))}",
                  f"    {off}channels: {shown}"]
    if "referral_channels" not in known and channels:
        lines += [f"    # {say['referral']}", f"    # referral_channels: {flow(channels[:1])}"]
    return [*lines, *(f"    {name}: {flow(value)}" for name, value in known.items())]


def _comment(text: str) -> list[str]:
    return [f"# {line}" for line in text.split("\n")]


_PLAIN = re.compile(r"[^\W\d][\w ./-]*(?<! )")
_RESERVED = {"true", "false", "null", "yes", "no", "on", "off", "y", "n"}


def flow(value: Any) -> str:
    """A value as YAML on one line; texts that could be read as anything else are quoted.

    >>> flow({"name": "Опт: Москва", "steps": ["won", "007"], "share": 0.06})
    '{name: "Опт: Москва", steps: [won, "007"], share: 0.06}'
    """
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{flow(key)}: {flow(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(flow(item) for item in value) + "]"
    if isinstance(value, bool) or value is None:
        return {True: "true", False: "false", None: "null"}[value]
    if isinstance(value, int | float):
        return repr(int(value) if float(value).is_integer() else value)
    text = str(value)
    if _PLAIN.fullmatch(text) and text.lower() not in _RESERVED:
        return text
    escapes = {'"': '\\"', "\\": "\\\\"}
    return '"' + "".join(escapes.get(sign, sign if sign.isprintable() else f"\\U{ord(sign):08X}") for sign in text) + '"'


def described(model: CompanyDescription | ProcessDescription) -> dict[str, Any]:
    """What a mapping really says, without the defaults."""
    return model.model_dump(exclude_unset=True, mode="json")


# -- what the tables say ---------------------------------------------------------------------------------------------------


def find(connection: duckdb.DuckDBPyConnection, tables: dict[str, tuple[str, list[str]]], titles: dict[str, str],
         language: str) -> Found:
    """What the mapped tables say; `tables` is name → (the engine's table, its columns), `titles` process → its name."""
    def distinct(*places: tuple[str, str], process: str | None = None) -> list[str]:
        return _distinct(connection, tables, places, process)

    names = distinct(*((name, "process") for name in tables))
    processes = {key: titles.get(key, key) for key in names}
    currencies = _distinct(connection, tables, [(name, "currency") for name in tables], None, often_first=True)
    steps = {key: _steps(connection, tables, key, language) for key in processes}
    channels = {key: distinct(*((name, "channel") for name in _CHANNEL_TABLES), process=key) for key in processes}
    return Found([code for code in currencies if re.fullmatch("[A-Z]{3}", code)], distinct(*_EMPLOYEES),
                 distinct(("work", "role")), processes, steps, channels)


def _distinct(connection, tables: dict[str, tuple[str, list[str]]], places, process: str | None, often_first: bool = False
              ) -> list[str]:
    """The different words in these columns, sorted by name or by how often they stand there."""
    parts = []
    for table, column in places:
        name, columns = tables.get(table, ("", []))
        if column in columns:
            where = "true" if process is None else f"process = '{process.replace(chr(39), chr(39) * 2)}'"
            parts.append(f"SELECT {quoted(column)} AS word FROM {name} WHERE {where}")
    if not parts:
        return []
    order = "count(*) DESC, word" if often_first else "word"
    return [word for word, in connection.execute(
        f"SELECT word FROM ({' UNION ALL '.join(parts)}) WHERE word IS NOT NULL GROUP BY word ORDER BY {order}").fetchall()]


def _steps(connection, tables: dict[str, tuple[str, list[str]]], process: str, language: str) -> list[tuple[str, str]]:
    """The steps of a process by the median age at which leads enter them, `won` last, each with the reason in words.

    Where no time of entry is known (a snapshot of a CRM) the age of the deals that are in the step now stands for it.
    """
    say = _COMMENTS[language]
    if "stage_events" not in tables or "leads" not in tables:
        return []
    timed = "date_diff('second', l.created_at, e.entered_at) / 86400" if "entered_at" in tables["stage_events"][1] else "NULL"
    rows = connection.execute(f"""
        SELECT e.step, median({timed}) AS entered, median(date_diff('second', l.created_at, (SELECT max(created_at) FROM
            {tables['leads'][0]})) / 86400) AS age, count(*) AS n
        FROM {tables['stage_events'][0]} e JOIN {tables['leads'][0]} l USING (lead_id)
        WHERE l.process = ? AND e.step IS NOT NULL AND e.step <> '{LOST}' GROUP BY e.step""", [process]).fetchall()
    if not rows:
        return []
    rows.sort(key=lambda row: (row[0] == WON, row[1] if row[1] is not None else row[2] or 0, -row[3], row[0]))
    reasons = []
    for step, entered, age, count in rows:
        known = entered if entered is not None else age
        text = say["entered" if entered is not None else "in_step"] if known is not None else ""
        reasons.append((step, text.format(days=f"{known or 0:.1f}", count=count)))
    return reasons if rows[-1][0] == WON else [*reasons, (WON, say["paid"])]


_COMMENTS = {
    "en": {
        "head": "Drafted from the imported data. Go through it once: correct what is wrong, fill in what is commented out\n"
                "(take away the # before the key). Then `funnel check` says what it makes of it.",
        "name": "My company",
        "assumed": "assumed: the data name no currency",
        "rates": "There are amounts in more than one currency: give what one unit of each is worth, and take away the #.",
        "time_zone": "please confirm: times in the data are taken as local to this zone",
        "as_of": "observation ends before this day; without it, the day after the last event",
        "roles": "Roles: who does the work, what an hour costs, how many paid hours a month, how many people.",
        "role": "caller: {name: Telemarketer, qualification: low, hour_cost: 10, paid_hours_per_month: 160, people: 2}",
        "employees": "{count} employees in the data: {names}. Split them into roles if they do different work.",
        "seller": "Seller",
        "plan": "How many new customers a month are wanted (or revenue_per_month): then the report says whether leads suffice.",
        "window": "Within how many days a lead is usually won; leads younger than that are shown as still running.",
        "margin": "Margin as a share of the amount, where orders have no margin of their own.",
        "steps_known": "The steps of the funnel in order; the last one means \"paid\".",
        "steps": "By the median age of leads; please put them in the order of your sales. The last one means \"paid\".",
        "no_steps": "The steps of the funnel in order; the last one means \"paid\". None could be found in the data.",
        "step": "contacted",
        "entered": "entered at a median age of {days} days, {count} times",
        "in_step": "no times of entry; {count} deals are in it now, their median age {days} days",
        "paid": "not in the data yet",
        "channels": "The channels found. A word that is not in this list will be shown as \"other\", with a warning.",
        "many_channels": "{count} different channels: a free text rather than a list. The first ones:",
        "referral": "Which of the channels mean that another customer recommended you:",
    },
    "ru": {
        "head": "Черновик по загруженным данным. Просмотрите его один раз: исправьте неверное, заполните закомментированное\n"
                "(уберите # перед ключом). После этого `funnel check` скажет, что получилось.",
        "name": "Моя компания",
        "assumed": "предположение: валюта в данных не указана",
        "rates": "В данных несколько валют: укажите, сколько стоит единица каждой, и уберите #.",
        "time_zone": "подтвердите: время в данных считается местным для этого пояса",
        "as_of": "наблюдение заканчивается перед этим днём; без него — день после последнего события",
        "roles": "Роли: кто делает работу, сколько стоит час, сколько оплаченных часов в месяц, сколько людей.",
        "role": "caller: {name: Обзвонщик, qualification: low, hour_cost: 450, paid_hours_per_month: 160, people: 2}",
        "employees": "Сотрудников в данных: {count} ({names}). Разделите их на роли, если они делают разную работу.",
        "seller": "Продавец",
        "plan": "Сколько новых клиентов в месяц нужно (или revenue_per_month): тогда отчёт скажет, хватает ли лидов.",
        "window": "За сколько дней лид обычно становится клиентом; более молодые лиды показаны как «ещё в работе».",
        "margin": "Доля маржи в сумме, если у заказов нет своей маржи.",
        "steps_known": "Этапы воронки по порядку; последний означает «оплачено».",
        "steps": "По медианному возрасту лидов; расставьте в порядке ваших продаж. Последний этап означает «оплачено».",
        "no_steps": "Этапы воронки по порядку; последний означает «оплачено». В данных этапов не нашлось.",
        "step": "контакт",
        "entered": "медианный возраст при входе {days} дн., входов: {count}",
        "in_step": "время входа неизвестно; сделок на этапе сейчас: {count}, их медианный возраст {days} дн.",
        "paid": "в данных пока не встречается",
        "channels": "Найденные каналы. Слово не из этого списка будет показано как «другое», с предупреждением.",
        "many_channels": "Разных каналов: {count}. Это скорее свободный текст, чем список. Первые из них:",
        "referral": "Какие из каналов означают, что вас порекомендовал другой клиент:",
    },
}
