"""English and Russian labels of every key in the simulated companies."""

WORDS = {
    # steps
    "contacted": ("Contacted", "Контакт"), "fitting": ("Fitting", "Примерка"), "meeting": ("Meeting", "Встреча"),
    "proposal": ("Proposal", "Предложение"), "won": ("Won", "Оплата"), "lost": ("Lost", "Отказ"),
    # channels
    "student_blog": ("Student blog", "Студенческий блог"), "search_ads": ("Search advertising", "Реклама в поиске"),
    "walk_in": ("Walk-in", "Вход с улицы"), "social": ("Social networks", "Соцсети"),
    "recommendation": ("Recommendation", "Рекомендация"), "cold_call": ("Cold call", "Холодный звонок"),
    "exhibition": ("Exhibition", "Выставка"), "partner": ("Partner", "Партнёр"), "architects": ("Architects", "Архитекторы"),
    # campaigns
    "campus": ("Campus", "Кампус"), "reels": ("Short videos", "Короткие видео"), "brand": ("Brand", "Бренд"),
    "season": ("Season", "Сезон"), "regions": ("Regions", "Регионы"), "cities": ("Cities", "Города"),
    "spring_fair": ("Spring fair", "Весенняя ярмарка"), "autumn_fair": ("Autumn fair", "Осенняя ярмарка"),
    # segments
    "family": ("Family", "Семья"), "professional": ("Professional", "Специалист"), "student": ("Student", "Студент"),
    "tourist": ("Tourist", "Турист"), "chain": ("Chain of shops", "Сеть магазинов"), "shop": ("Shop", "Магазин"),
    "reseller": ("Reseller", "Перекупщик"), "private_person": ("Private person", "Частное лицо"),
    "hotel": ("Hotel", "Гостиница"), "office": ("Office", "Офис"), "agency": ("Agency", "Агентство"),
    # lost reasons
    "too_expensive": ("Too expensive", "Дорого"), "competitor": ("Went to a competitor", "Ушёл к конкуренту"),
    "no_answer": ("No answer", "Не отвечает"), "changed_mind": ("Changed their mind", "Передумал"),
    "no_size": ("No size in stock", "Нет размера"), "no_need": ("No need", "Нет потребности"),
    "long_delivery": ("Delivery takes too long", "Долгий срок"), "duplicate": ("Duplicate", "Дубль"),
    "spam": ("Spam", "Спам"), "test": ("Test", "Тест"),
    # items of spend
    "advertising": ("Advertising", "Реклама"), "stand": ("Stand", "Стенд"), "commission": ("Commission", "Комиссия"),
    "phone_line": ("Telephone", "Телефония"), "website": ("Website", "Сайт"), "samples": ("Samples", "Образцы"),
    "crm_licence": ("CRM licence", "Лицензия CRM"), "gifts": ("Gifts to clients", "Подарки клиентам"),
    "robot_call": ("Robot calls", "Звонки робота"), "field_visit": ("Field visits", "Выезды к клиентам"),
    "sort_enquiries": ("Sorting of enquiries", "Разбор обращений"),
    # groups of a test
    "A": ("A, as before", "А, как раньше"), "B": ("B, the new way", "Б, по-новому"),
    # people
    "anna": ("Anna", "Анна"), "boris": ("Boris", "Борис"), "maria": ("Maria", "Мария"), "pavel": ("Pavel", "Павел"),
    "vera": ("Vera", "Вера"), "dasha": ("Dasha", "Даша"), "egor": ("Egor", "Егор"), "zhanna": ("Zhanna", "Жанна"),
    "olga": ("Olga", "Ольга"), "ivan": ("Ivan", "Иван"), "sofia": ("Sofia", "София"), "timur": ("Timur", "Тимур"),
    "lena": ("Lena", "Лена"), "nikita": ("Nikita", "Никита"), "roman": ("Roman", "Роман"), "yuri": ("Yuri", "Юрий"),
    "fedor": ("Fedor", "Фёдор"), "galina": ("Galina", "Галина"), "irina": ("Irina", "Ирина"), "kirill": ("Kirill", "Кирилл"),
    "head_of_sales": ("Head of sales", "Руководитель продаж"), "owner": ("Owner", "Владелец"),
    "head_of_marketing": ("Head of marketing", "Руководитель маркетинга"),
    # means, inputs and outputs of technology cards
    "computer": ("Computer", "Компьютер"), "crm": ("CRM", "CRM"), "phone": ("Telephone", "Телефон"),
    "cash_desk": ("Cash desk", "Касса"), "email": ("E-mail", "Почта"), "car": ("Car", "Автомобиль"),
    "collection": ("Collection", "Коллекция"), "published_post": ("Published post", "Публикация"),
    "advertising_budget": ("Advertising budget", "Рекламный бюджет"), "enquiry": ("Enquiry", "Обращение"),
    "lead_card": ("Card of the lead", "Карточка лида"), "agreed_visit": ("Agreed visit", "Назначенный визит"),
    "chosen_model": ("Chosen model", "Выбранная модель"), "paid_order": ("Paid order", "Оплаченный заказ"),
    "client_list": ("List of clients", "Список клиентов"), "sent_letter": ("Sent letter", "Отправленное письмо"),
    "client_feedback": ("Feedback of the client", "Отзыв клиента"), "open_registers": ("Open registers", "Открытые реестры"),
    "company_list": ("List of companies", "Список компаний"), "known_need": ("Known need", "Понятная потребность"),
    "interested_contact": ("Interested contact", "Заинтересованный контакт"),
    "agreed_assortment": ("Agreed assortment", "Согласованный ассортимент"),
    "sent_proposal": ("Sent proposal", "Отправленное предложение"), "client_request": ("Request of a client", "Заявка клиента"),
    "sales_history": ("History of sales", "История продаж"), "growth_plan": ("Plan of growth", "План развития"),
    "finished_project": ("Finished project", "Готовый проект"), "measured_site": ("Measured site", "Замеры объекта"),
    "new_contact": ("New contact", "Новый контакт"),
}

ROLES = {  # key: names, qualification, roubles per hour, load that its people have
    "marketer": (("Marketer", "Маркетолог"), "middle", 700, 0.62),
    "caller": (("Telemarketer", "Обзвонщик"), "low", 450, 0.72),
    "seller": (("Shop consultant", "Продавец-консультант"), "middle", 520, 0.66),
    "field_agent": (("Field agent", "Выездной агент"), "middle", 600, 0.55),
    "negotiator": (("Negotiator", "Переговорщик"), "high", 900, 1.02),
    "designer": (("Designer", "Дизайнер"), "high", 1_000, 0.74),
    "account_manager": (("Account manager", "Клиентский менеджер"), "high", 750, 0.52),
    "robot": (("Robot", "Робот"), "low", 0, None),
}


def names(pair: tuple[str, str]) -> dict[str, str]:
    """A name in both languages, as `company.yaml` writes it."""
    return {"en": pair[0], "ru": pair[1]}


def label(key: str) -> dict[str, str]:
    """The two names of a key; an error here is a key that nobody named."""
    return names(WORDS[key])
