"""The three kinds of sales process that are simulated, and every true parameter of theirs."""

from dataclasses import dataclass, replace

from funnel_lib.simulate.cards import CUSTOM_CARDS, RETAIL_CARDS, WHOLESALE_CARDS, Card

WORK_HOURS_PER_DAY = 45 / 7  # a calendar day holds so many working hours on average


@dataclass(frozen=True)
class Step:
    """A step of the funnel: the chance to enter it from the mandatory step before, and when."""

    key: str
    share: float
    lag_hours: float  # median, in working hours
    lag_sigma: float  # of the logarithm
    optional: bool = False
    deadline_days: int | None = None


@dataclass(frozen=True)
class Channel:
    """A channel: its share of leads, how well they convert, how many are on target, what one costs."""

    key: str
    share: float
    factor: float  # multiplies the chance of every mandatory step after the first
    target_share: float
    lead_cost: float
    touch_cost: float
    campaigns: tuple[str, ...] = ()


@dataclass(frozen=True)
class RegularPurchases:
    """Clients who restock: gaps of a gamma distribution around a mean of their own."""

    gap_days: float
    gap_spread: float  # shape of the gamma distribution of the clients' mean gaps
    regularity: float  # shape of the gamma distribution of one client's gaps
    stop_after_first_share: float
    stop_share: float  # after each of the orders 2 … 5; then never
    pause_share: float  # a gap so often lasts five times as long


@dataclass(frozen=True)
class ChancePurchases:
    """Clients of the BG/NBD model; rates per week (Fader, Hardie, Lee 2005)."""

    r: float
    alpha: float
    a: float
    b: float


@dataclass(frozen=True)
class Amounts:
    """Order amounts (gamma-gamma: p, q, gamma) and margins as shares of the amount."""

    p: float
    q: float
    gamma: float
    first_factor: float
    first_margin_share: float
    early_margin_share: float  # orders 2 to 4
    later_margin_share: float
    margin_noise: float


@dataclass(frozen=True)
class Profile:
    """One process with its true parameters."""

    key: str
    kind: str
    names: tuple[str, str]
    letter: str
    leads_count: int
    window_days: int
    weekend_weight: float
    steps: tuple[Step, ...]
    channels: tuple[Channel, ...]
    target_segments: tuple[str, ...]
    other_segments: tuple[str, ...]
    off_target_factor: float
    owners: tuple[str, ...]
    callers: tuple[str, ...]
    not_leads: tuple[tuple[str, float], ...]
    forgotten_share: float
    lost_lag_hours: float
    lost_lag_sigma: float
    reasons: tuple[tuple[tuple[str, float], ...], ...]  # by mandatory steps passed
    purchases: RegularPurchases | ChancePurchases
    amounts: Amounts
    plan_per_month: float
    cards: tuple[Card, ...]
    returning_share: float
    known_customers: int
    touches_per_lead: float
    skip_share: float = 0.12
    return_share: float = 0.06
    return_lag_hours: float = 40.0
    unknown_segment_share: float = 0.06

    @property
    def mandatory(self) -> tuple[Step, ...]:
        return tuple(step for step in self.steps if not step.optional)

    @property
    def referral_channels(self) -> tuple[str, ...]:
        return ("recommendation",)

    def with_leads(self, leads_count: int) -> "Profile":
        """The same process with another number of leads; what is counted in people scales along."""
        scale = leads_count / self.leads_count
        return replace(self, leads_count=leads_count, plan_per_month=self.plan_per_month * scale,
                       known_customers=max(3, round(self.known_customers * min(scale, 50))))

    def renamed(self, number: int) -> "Profile":
        """Copy ``number`` of the same kind: ``retail_2``, ``retail_3`` …"""
        if number == 1:
            return self
        return replace(self, key=f"{self.kind}_{number}", letter=f"{self.letter}{number}-",
                       names=tuple(f"{name} {number}" for name in self.names))


RETAIL = Profile(
    key="retail", kind="retail", names=("Retail", "Розница"), letter="R", leads_count=8_000, window_days=30,
    weekend_weight=0.8,
    steps=(Step("contacted", 0.78, 3.0, 0.9), Step("fitting", 0.52, 14.0, 0.6), Step("won", 0.52, 9.0, 0.7)),
    channels=(Channel("student_blog", 0.35, 0.55, 0.08, 260, 18, ("campus", "reels")),
              Channel("search_ads", 0.27, 1.0, 0.72, 420, 31, ("brand", "season")),
              Channel("walk_in", 0.20, 1.10, 0.66, 60, 0),
              Channel("social", 0.12, 0.92, 0.58, 310, 14, ("season",)),
              Channel("recommendation", 0.06, 1.30, 0.80, 0, 0)),
    target_segments=("family", "professional"), other_segments=("student", "tourist"), off_target_factor=0.92,
    owners=("dasha", "egor", "zhanna"), callers=("olga", "ivan"),
    not_leads=(("duplicate", 0.035), ("spam", 0.025)),
    forgotten_share=0.08, lost_lag_hours=22.0, lost_lag_sigma=0.7,
    reasons=((("no_answer", 0.6), ("changed_mind", 0.25), ("competitor", 0.15)),
             (("changed_mind", 0.35), ("too_expensive", 0.3), ("no_size", 0.2), ("no_answer", 0.15)),
             (("too_expensive", 0.45), ("competitor", 0.25), ("changed_mind", 0.3))),
    purchases=ChancePurchases(r=0.55, alpha=22.0, a=0.8, b=2.6),
    amounts=Amounts(p=6.0, q=4.0, gamma=11_000.0, first_factor=1.0, first_margin_share=0.42,
                    early_margin_share=0.42, later_margin_share=0.42, margin_noise=0.04),
    plan_per_month=46, cards=RETAIL_CARDS, returning_share=0.02, known_customers=60, touches_per_lead=0.9,
)

WHOLESALE = Profile(
    key="wholesale", kind="wholesale", names=("Wholesale", "Опт"), letter="W", leads_count=3_200, window_days=180,
    weekend_weight=0.25,
    steps=(Step("contacted", 0.80, 5.0, 0.9), Step("meeting", 0.55, 26.0, 0.7, optional=True, deadline_days=5),
           Step("proposal", 0.58, 50.0, 0.7), Step("won", 0.50, 95.0, 0.8)),
    channels=(Channel("cold_call", 0.40, 0.92, 0.62, 90, 12, ("regions", "cities")),
              Channel("exhibition", 0.18, 1.10, 0.78, 1_900, 240, ("spring_fair", "autumn_fair")),
              Channel("search_ads", 0.22, 1.0, 0.55, 1_300, 65, ("brand", "season")),
              Channel("partner", 0.12, 1.08, 0.70, 700, 30),
              Channel("recommendation", 0.08, 1.25, 0.85, 0, 0)),
    target_segments=("chain", "shop"), other_segments=("reseller", "private_person"), off_target_factor=0.88,
    owners=("anna", "boris", "maria", "pavel"), callers=("sofia", "timur"),
    not_leads=(("duplicate", 0.03), ("spam", 0.015)),
    forgotten_share=0.10, lost_lag_hours=85.0, lost_lag_sigma=0.7,
    reasons=((("no_answer", 0.65), ("no_need", 0.35)),
             (("no_need", 0.35), ("competitor", 0.3), ("no_answer", 0.35)),
             (("too_expensive", 0.45), ("competitor", 0.35), ("changed_mind", 0.2))),
    purchases=RegularPurchases(gap_days=33.0, gap_spread=8.0, regularity=6.0, stop_after_first_share=0.26,
                               stop_share=0.06, pause_share=0.008),
    amounts=Amounts(p=7.0, q=5.0, gamma=58_500.0, first_factor=0.65, first_margin_share=-0.15,
                    early_margin_share=0.11, later_margin_share=0.27, margin_noise=0.03),
    plan_per_month=15, cards=WHOLESALE_CARDS, returning_share=0.015, known_customers=40, touches_per_lead=1.6,
)

CUSTOM = Profile(
    key="custom", kind="custom", names=("Custom-made", "Изделия на заказ"), letter="C", leads_count=800,
    window_days=540, weekend_weight=0.4,
    steps=(Step("contacted", 0.84, 6.0, 0.9), Step("meeting", 0.70, 120.0, 0.8, optional=True, deadline_days=5),
           Step("proposal", 0.62, 330.0, 0.8), Step("won", 0.54, 480.0, 0.9)),
    channels=(Channel("search_ads", 0.39, 0.95, 0.55, 2_600, 70, ("brand", "season")),
              Channel("exhibition", 0.18, 1.0, 0.75, 5_200, 310, ("spring_fair", "autumn_fair")),
              Channel("architects", 0.16, 1.08, 0.80, 1_500, 90),
              Channel("social", 0.155, 0.85, 0.45, 1_900, 25, ("season",)),
              Channel("recommendation", 0.146, 1.30, 0.90, 0, 0)),
    target_segments=("hotel", "office"), other_segments=("private_person", "agency"), off_target_factor=0.9,
    owners=("fedor", "galina"), callers=("olga", "ivan"),
    not_leads=(("duplicate", 0.03), ("spam", 0.01)),
    forgotten_share=0.08, lost_lag_hours=260.0, lost_lag_sigma=0.8,
    reasons=((("no_answer", 0.6), ("no_need", 0.4)),
             (("changed_mind", 0.4), ("competitor", 0.25), ("long_delivery", 0.35)),
             (("too_expensive", 0.4), ("competitor", 0.25), ("long_delivery", 0.2), ("changed_mind", 0.15))),
    purchases=ChancePurchases(r=0.9, alpha=70.0, a=0.9, b=1.6),
    amounts=Amounts(p=6.0, q=4.0, gamma=200_000.0, first_factor=1.0, first_margin_share=0.31,
                    early_margin_share=0.33, later_margin_share=0.33, margin_noise=0.04),
    plan_per_month=6.1, cards=CUSTOM_CARDS, returning_share=0.012, known_customers=25, touches_per_lead=1.2,
)

KINDS = (RETAIL, WHOLESALE, CUSTOM)


def profile(process_name: str) -> Profile:
    """The profile of ``retail``, ``wholesale``, ``custom`` or a numbered copy such as ``retail_2``."""
    kind, _, number = process_name.partition("_")
    for candidate in KINDS:
        if candidate.kind == kind and (not number or number.isdigit()):
            return candidate.renamed(int(number or 1))
    raise ValueError(f"no simulated process {process_name!r}: expected retail, wholesale or custom, "
                     "or one of them with a number, such as retail_2")
