"""Technology cards of the simulated processes: what work is done, by whom, how often and how evenly."""

from dataclasses import dataclass

GENERATION, CONVERSION, ACCOUNTS = "lead_generation", "conversion", "account_management"
STAGES = (GENERATION, CONVERSION, ACCOUNTS)


@dataclass(frozen=True)
class Card:
    """One kind of work. ``done_for`` says what causes an execution: every ``lead``, a lead's entry
    into a step (its key), an ``order`` after the first, or a ``week``; ``channel``: for the leads of this one only."""

    key: str
    names: tuple[str, str]
    stage: str
    role: str
    means: str
    minutes: float
    cost: float
    given: str
    result: str
    level: int  # claimed
    shown_level: int  # what the log shows
    done_for: str
    share: float  # executions per cause
    setup_cost: float
    monthly_cost: float
    hours_saved_share: float
    step: str | None = None
    channel: str | None = None


def _card(key, english, russian, stage, role, means, minutes, cost, given, result, levels, done_for, share, next_level,
          step=None, channel=None):
    return Card(key, (english, russian), stage, role, means, minutes, cost, given, result, *levels, done_for, share,
                *next_level, step=step, channel=channel)


RETAIL_CARDS = (
    _card("write_posts", "Posts for the blog and networks", "Посты для блога и соцсетей", GENERATION, "marketer",
          "computer", 240, 0, "collection", "published_post", (1, 1), "week", 2.0, (90_000, 9_000, 0.4)),
    _card("manage_ads", "Management of advertisements", "Ведение рекламы", GENERATION, "marketer", "computer", 180, 0,
          "advertising_budget", "enquiry", (1, 1), "week", 1.5, (150_000, 20_000, 0.3)),
    _card("register_enquiry", "Registration of an enquiry", "Регистрация обращения", GENERATION, "caller", "crm", 9, 0,
          "enquiry", "lead_card", (3, 3), "lead", 1.0, (120_000, 6_000, 0.9)),
    _card("first_call", "First call", "Первый звонок", CONVERSION, "caller", "phone", 20, 4, "lead_card",
          "agreed_visit", (2, 2), "contacted", 1.0, (200_000, 12_000, 0.5), step="contacted"),
    _card("fitting_session", "Fitting in the showroom", "Примерка в салоне", CONVERSION, "seller", "meeting", 90, 60,
          "agreed_visit", "chosen_model", (2, 2), "fitting", 1.0, (250_000, 10_000, 0.1), step="fitting"),
    _card("close_sale", "Payment and delivery", "Оплата и выдача", CONVERSION, "seller", "cash_desk", 40, 35,
          "chosen_model", "paid_order", (2, 2), "won", 1.0, (60_000, 4_000, 0.3), step="won"),
    _card("birthday_letter", "Birthday letter", "Поздравление клиента", ACCOUNTS, "robot", "email", 1, 1, "client_list",
          "sent_letter", (4, 4), "order", 1.5, (40_000, 2_000, 0.1)),
    _card("care_call", "Call after the purchase", "Звонок после покупки", ACCOUNTS, "account_manager", "phone", 20, 3,
          "paid_order", "client_feedback", (2, 2), "order", 1.0, (80_000, 5_000, 0.4)),
)

WHOLESALE_CARDS = (
    _card("collect_list", "List of companies", "Сбор списка компаний", GENERATION, "caller", "computer", 45, 0,
          "open_registers", "company_list", (2, 2), "lead", 1.0, (90_000, 7_000, 0.6)),
    _card("cold_call", "Cold call", "Холодный звонок", GENERATION, "caller", "phone", 110, 12, "company_list",
          "interested_contact", (2, 2), "lead", 2.25, (300_000, 15_000, 0.7), channel="cold_call"),
    _card("robot_call", "Robot call", "Звонок робота", GENERATION, "robot", "phone", 3, 200, "company_list",
          "interested_contact", (4, 4), "lead", 0.45, (100_000, 5_000, 0.1)),
    _card("field_visit", "Field visit", "Выезд к клиенту", GENERATION, "field_agent", "car", 120, 800, "company_list",
          "interested_contact", (1, 1), "lead", 0.15, (150_000, 10_000, 0.2)),
    _card("qualify_call", "Call to find out the need", "Выявление потребности", CONVERSION, "negotiator", "phone", 100, 6,
          "interested_contact", "known_need", (2, 2), "contacted", 1.0, (180_000, 12_000, 0.3), step="contacted"),
    _card("client_meeting", "Meeting with the client", "Встреча с клиентом", CONVERSION, "negotiator", "meeting", 240,
          350, "known_need", "agreed_assortment", (2, 2), "meeting", 1.0, (220_000, 15_000, 0.2), step="meeting"),
    _card("write_proposal", "Commercial proposal", "Коммерческое предложение", CONVERSION, "negotiator", "computer", 200,
          0, "known_need", "sent_proposal", (3, 1), "proposal", 1.0, (260_000, 14_000, 0.6), step="proposal"),
    _card("sign_contract", "Contract and first payment", "Договор и первая оплата", CONVERSION, "negotiator", "computer",
          140, 20, "sent_proposal", "paid_order", (2, 2), "won", 1.0, (140_000, 9_000, 0.4), step="won"),
    _card("take_order", "Repeat order", "Повторный заказ", ACCOUNTS, "account_manager", "crm", 24, 0, "client_request",
          "paid_order", (3, 3), "order", 1.0, (320_000, 20_000, 0.6)),
    _card("account_review", "Review with the client", "Обзор работы с клиентом", ACCOUNTS, "account_manager", "meeting",
          60, 90, "sales_history", "growth_plan", (0, 0), "order", 0.12, (110_000, 8_000, 0.2)),
)

CUSTOM_CARDS = (
    _card("show_projects", "Publication of finished projects", "Публикация готовых проектов", GENERATION, "marketer",
          "computer", 210, 0, "finished_project", "published_post", (1, 1), "week", 1.0, (130_000, 12_000, 0.3)),
    _card("sort_enquiries", "Sorting of enquiries", "Разбор обращений", GENERATION, "caller", "crm", 40, 2, "enquiry",
          "lead_card", (2, 2), "lead", 1.0, (70_000, 4_000, 0.6)),
    _card("first_call", "First call", "Первый звонок", CONVERSION, "caller", "phone", 45, 5, "lead_card",
          "agreed_visit", (2, 2), "contacted", 1.0, (90_000, 6_000, 0.3), step="contacted"),
    _card("site_meeting", "Meeting on site", "Встреча на объекте", CONVERSION, "designer", "meeting", 270, 900,
          "agreed_visit", "measured_site", (2, 2), "meeting", 1.0, (160_000, 10_000, 0.2), step="meeting"),
    _card("sketch_project", "Sketch and estimate", "Эскиз и смета", CONVERSION, "designer", "computer", 840, 0,
          "measured_site", "sent_proposal", (0, 0), "proposal", 1.0, (450_000, 25_000, 0.4), step="proposal"),
    _card("agree_contract", "Contract and prepayment", "Договор и предоплата", CONVERSION, "designer", "meeting", 180,
          60, "sent_proposal", "paid_order", (2, 2), "won", 1.0, (120_000, 8_000, 0.3), step="won"),
    _card("warranty_call", "Call after installation", "Звонок после установки", ACCOUNTS, "account_manager", "phone", 45,
          4, "finished_project", "client_feedback", (2, 2), "won", 1.5, (60_000, 3_000, 0.4)),
    _card("ask_recommendation", "Request for a recommendation", "Просьба о рекомендации", ACCOUNTS, "account_manager",
          "phone", 30, 0, "client_feedback", "new_contact", (1, 1), "won", 1.0, (50_000, 3_000, 0.2)),
)

PEOPLE = {  # role: employees; a robot is nobody
    "marketer": ("lena", "nikita"), "caller": ("olga", "ivan", "sofia", "timur"), "seller": ("dasha", "egor", "zhanna"),
    "field_agent": ("roman", "yuri"), "negotiator": ("anna", "boris", "maria", "pavel"),
    "designer": ("fedor", "galina"), "account_manager": ("irina", "kirill"), "robot": (),
}
