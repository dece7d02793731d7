"""The preset for a deal export of Bitrix24: Russian headings and words, only the current step of each deal is known."""

from __future__ import annotations

from funnel_lib.readers.mapping import Mapping

_WON = ["Успешно реализована", "Успешная сделка", "Сделка успешна", "WON", "Closed Won", "Закрыта и реализована",
        "Сделка выиграна", "Выиграна"]
_LOST = ["Сделка провалена", "Провалена", "Провал", "Сделка проиграна", "Проиграна", "Закрыта и не реализована",
         "Не реализована", "Анализ причины провала", "Анализ провала", "LOSE", "LOST", "Closed Lost"]
# What kind of end a step is, where the export says so: P, S and F of STAGE_SEMANTIC_ID, in words.
_GROUP_WON = ["S", "SUCCESS", "Успешная", "Успешно", "Успешные", "Успех", *_WON]
_GROUP_LOST = ["F", "FAILURE", "Неуспешная", "Неуспешно", "Неуспешные", *_LOST]
_YES = ["да", "yes", "y", "true", "1"]
_CURRENCIES = {"RUB": ["RUB", "Российский рубль", "Рубль", "руб.", "руб", "₽"], "USD": ["Доллар США", "Доллар", "$"],
               "EUR": ["Евро", "€"], "BYN": ["Белорусский рубль"], "KZT": ["Тенге", "Казахстанский тенге"],
               "UAH": ["Гривна"], "UZS": ["Узбекский сум"]}
# Headings differ between versions of the export and between its list and its field titles.
_ALIASES = {"Стадия сделки": ["Стадия"], "Закрыта": ["Сделка закрыта"], "Воронка": ["Направление"],
            "Компания": ["Компания: Название компании", "Название компании"], "Дата завершения": ["Дата закрытия"],
            "Контакт": ["Контакт: Имя", "Контакты"], "Рекламная кампания": ["Обозначение рекламной кампании", "utm_campaign"],
            "Причина отказа": ["Причина провала", "Причина проигрыша"]}
_CUSTOMER = ["Компания", "Контакт"]
_CLOSED_AT = ["Дата завершения", "Дата изменения"]


def mapping() -> Mapping:
    """The preset as a mapping.

    A deal is a lead with one event: the step it is in, the time unknown, or `won` / `lost` at its closing date. Of a step
    with a name of its own the group of the step says whether it is won or lost; where there is none, a closed deal is lost
    for the reason of that name, with a warning. Won deals with a customer, an amount and a date are orders; an export
    without one of these columns gives none.
    """
    lead, status = {"lead_id": "ID"}, "Стадия сделки"
    process = {"process": "Воронка"}
    closed = {**lead, "entered_at": _CLOSED_AT, "employee": "Ответственный"}
    currency = {"currency": _CURRENCIES}
    group, ended, grouped = "Группа стадии", [*_WON, *_LOST], [*_GROUP_WON, *_GROUP_LOST]
    order = {"from": "deals", "constants": {"process": "Продажи"}, "words": currency, "may_be_left_out": True,
             "needs": ["customer_id", "amount", "ordered_at"],
             "columns": {"order_id": "ID", **lead, **process, "customer_id": _CUSTOMER, "ordered_at": _CLOSED_AT,
                         "amount": "Сумма", "currency": "Валюта", "channel": "Источник"}}
    return Mapping.model_validate({
        "source": {"deals": "*"},
        "company": {"currency": "RUB", "time_zone": "Europe/Moscow", "language": "ru"},
        "skip_absent": True,
        "aliases": _ALIASES,
        "words": {"won": _WON, "lost": _LOST},
        "tables": {
            "leads": {
                "from": "deals", "constants": {"process": "Продажи"}, "words": currency,
                "columns": {**lead, **process, "created_at": "Дата создания", "channel": "Источник",
                            "campaign": "Рекламная кампания", "owner": "Ответственный", "customer_id": _CUSTOMER,
                            "expected_amount": "Сумма", "currency": "Валюта", "returning": "Повторная сделка"}},
            "stage_events": [
                {"from": "deals", "where_not": {status: ended, group: grouped, "Закрыта": _YES},
                 "columns": {**lead, "step": status, "employee": "Ответственный"}},
                {"from": "deals", "where": {status: ended},
                 "columns": {**closed, "step": status, "reason": "Причина отказа"}},
                {"from": "deals", "where": {group: _GROUP_WON}, "where_not": {status: ended}, "constants": {"step": "won"},
                 "columns": closed},
                {"from": "deals", "where": {group: _GROUP_LOST}, "where_not": {status: ended}, "constants": {"step": "lost"},
                 "columns": {**closed, "reason": ["Причина отказа", status]}},
                {"from": "deals", "where": {"Закрыта": _YES}, "where_not": {status: ended, group: grouped},
                 "constants": {"step": "lost"}, "assumed": status, "columns": {**closed, "reason": ["Причина отказа", status]}}],
            "orders": [{**order, "where": {status: _WON}},
                       {**order, "where": {group: _GROUP_WON}, "where_not": {status: ended}}]}})
