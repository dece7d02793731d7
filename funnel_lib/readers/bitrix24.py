"""The preset for a deal export of Bitrix24: Russian headings and words, only the current step of each deal is known."""

from __future__ import annotations

from funnel_lib.readers.mapping import Mapping

_WON = ["Успешно реализована", "Успешная сделка", "Сделка успешна", "WON", "Closed Won", "Закрыта и реализована",
        "Сделка выиграна", "Выиграна"]
_LOST = ["Сделка провалена", "Провалена", "Провал", "Сделка проиграна", "Проиграна", "Закрыта и не реализована",
         "Не реализована", "Анализ причины провала", "Анализ провала", "LOSE", "LOST", "Closed Lost"]
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

    A deal is a lead with one event: the step it is in, the time unknown, or `won` / `lost` at its closing date. A deal
    that is closed under a name of its own is lost for that reason. Won deals with a customer and an amount are orders.
    """
    lead, status = {"lead_id": "ID"}, "Стадия сделки"
    process = {"process": "Воронка"}
    closed = {**lead, "entered_at": _CLOSED_AT, "employee": "Ответственный"}
    currency = {"currency": _CURRENCIES}
    ended = [*_WON, *_LOST]
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
                {"from": "deals", "where_not": {status: ended, "Закрыта": _YES},
                 "columns": {**lead, "step": status, "employee": "Ответственный"}},
                {"from": "deals", "where": {status: ended},
                 "columns": {**closed, "step": status, "reason": "Причина отказа"}},
                {"from": "deals", "where": {"Закрыта": _YES}, "where_not": {status: ended}, "constants": {"step": "lost"},
                 "columns": {**closed, "reason": ["Причина отказа", status]}}],
            "orders": {
                "from": "deals", "where": {status: _WON}, "constants": {"process": "Продажи"}, "words": currency,
                "needs": ["customer_id", "amount", "ordered_at"],
                "columns": {"order_id": "ID", **lead, **process, "customer_id": _CUSTOMER, "ordered_at": _CLOSED_AT,
                            "amount": "Сумма", "currency": "Валюта", "channel": "Источник"}}}})
