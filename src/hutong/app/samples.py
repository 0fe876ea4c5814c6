"""Who lives in a network for trying out, so that nothing in it is empty: invented people and shops, and what they did."""

from dataclasses import dataclass

from hutong.web.sandbox import SamplePerson, SampleStaff

BANK = "yun"


@dataclass(frozen=True, slots=True)
class Resident:
    """A user of an institution. `tier` is what a document was shown for; `bank` the balance of an account at the bank."""

    node: str
    name: str
    phone: str
    pin: str
    tier: str = ""
    bank_minor: int = 0
    top_up_minor: int = 0
    banks_by_phone: bool = False  # Signs in at the bank, too, with the same PIN.
    invited_by: "Resident | None" = None

    @property
    def key(self) -> str:
        return f"{self.node}/{self.phone}"

    def at_bank(self) -> "Resident":
        """The same person as a customer of the bank."""
        return Resident(BANK, self.name, self.phone, self.pin if self.banks_by_phone else "", "II")

    def shown(self) -> SamplePerson:
        return SamplePerson(self.name, self.phone, self.pin)


@dataclass(frozen=True, slots=True)
class Hand:
    """Somebody who works for a merchant: `role` is one of `staff_key.Role`."""

    name: str
    role: str
    phone: str
    pin: str


@dataclass(frozen=True, slots=True)
class Stall:
    """A merchant of an institution, and who works there: who is to be tried first comes first."""

    node: str
    name: str
    latin_name: str
    mcc: str
    fee_bps: int
    shop: str
    staff: tuple[Hand, ...] = ()

    @property
    def key(self) -> str:
        return f"{self.node}/{self.latin_name}"

    def shown(self) -> list[SampleStaff]:
        return [SampleStaff(hand.name, self.name, hand.role, hand.phone, hand.pin) for hand in self.staff]


@dataclass(frozen=True, slots=True)
class Deed:
    """
    One payment of the past: `days_ago` at `clock` (Beijing time), from `payer` to `payee`'s plate or code.

    `way` is how: a plate, a code with its amount, a payment code that a till scans, or a person's own code. `back` of it
    was refunded afterwards.
    """

    days_ago: int
    clock: str
    payer: Resident
    payee: "Stall | Resident"
    amount: int
    remark: str = ""
    way: str = "plate"
    back: int = 0


LI = Resident("jing", "李雷", "+8613800000001", "483915", "II", 2_000_000, 60_000, banks_by_phone=True)
CHEN = Resident("jing", "陈静", "+8613800000004", "274068", "II", 800_000, 40_000, invited_by=LI)
WANG = Resident("wei", "王芳", "+8613800000003", "915738", "II", 1_200_000, 50_000)
LIU = Resident("wei", "刘洋", "+8613800000005", "361947", "", 300_000, 20_000)
HAN = Resident("zhi", "韩梅梅", "+8613800000002", "720461", "II", 1_500_000, 80_000, banks_by_phone=True)
# Came today, has no PIN yet and no history; who looks whether all samples were made looks for the last of them.
ZHAO = Resident("zhi", "赵敏", "+8613800000006", "")
PEOPLE = (LI, CHEN, WANG, LIU, HAN)
# Came yesterday, by an invitation of Li's, and has only just begun to pay.
ZHOU = Resident("jing", "周宁", "+8613800000007", "", "II", 200_000, 10_000, invited_by=LI)
SHOWN = (*PEOPLE, *(each.at_bank() for each in PEOPLE if each.banks_by_phone))
LAST = ZHAO

NOODLES = Stall(
    "wei",
    "胡同面馆",
    "Hutong Noodles",
    "5812",
    60,
    "鼓楼店",
    (
        Hand("吴娜", "CASHIER", "+8613900000003", "914628"),
        Hand("周强", "MANAGER", "+8613900000002", "850273"),
        Hand("孙丽", "OWNER", "+8613900000001", "739164"),
        Hand("郑伟", "ACCOUNTANT", "+8613900000004", "628491"),
    ),
)
BOOKS = Stall(
    "jing",
    "京城书店",
    "Capital Books",
    "5942",
    38,
    "东四店",
    (Hand("何雨", "CASHIER", "+8613900000012", "461937"), Hand("钱明", "OWNER", "+8613900000011", "573908")),
)
_FENG = Hand("冯俊", "OWNER", "+8613900000021", "295807")
_LIN = Hand("林悦", "OWNER", "+8613900000031", "807364")
TEA = Stall("zhi", "支点茶室", "Fulcrum Tea", "5499", 60, "什刹海店", (_FENG,))
FLOWERS = Stall("yun", "云上花店", "Cloud Flowers", "5992", 38, "国子监店", (_LIN,))
# Each is one person's: nobody else works there.
BEANS = Stall("wei", "护国寺豆汁", "Temple Bean Milk", "5814", 60, "护国寺店")
BUNS = Stall("wei", "庆丰里包子", "Lane Steamed Buns", "5814", 60, "月坛店")
HAWS = Stall("wei", "老刘糖葫芦", "Liu Candied Haws", "5441", 60, "烟袋斜街店")
SMALL = (NOODLES, BEANS, BUNS, HAWS)
STALLS = (*SMALL, BOOKS, TEA, FLOWERS)

NEWLY_COME = (1, "17:00")  # When Zhou does.

HISTORY = (
    Deed(6, "12:10", LI, NOODLES, 2_800, "两碗炸酱面"),
    Deed(6, "12:25", HAN, NOODLES, 1_600, "炸酱面"),
    Deed(6, "15:30", CHEN, TEA, 4_500, "龙井", "code"),
    Deed(6, "18:20", WANG, BOOKS, 7_980, "《围城》《边城》", back=3_200),
    Deed(5, "09:05", LIU, NOODLES, 900, "豆浆油条", "payment code"),
    Deed(5, "12:15", LI, NOODLES, 3_400, "牛肉面"),
    Deed(5, "14:40", HAN, BOOKS, 12_600, "字帖", "code"),
    Deed(5, "19:00", CHEN, HAN, 6_650, "AA 火锅", "person"),
    Deed(4, "10:20", WANG, FLOWERS, 9_900, "康乃馨"),
    Deed(4, "12:05", CHEN, NOODLES, 1_800, "刀削面"),
    Deed(4, "12:40", HAN, NOODLES, 5_200, "一桌小菜", "payment code"),
    Deed(4, "16:10", LI, TEA, 3_800, "茉莉花茶", "code"),
    Deed(3, "08:50", LI, NOODLES, 1_200, "豆腐脑", "payment code"),
    Deed(3, "12:30", LIU, BOOKS, 4_580, "《城南旧事》"),
    Deed(3, "15:00", WANG, TEA, 8_800, "普洱", "code", back=8_800),
    Deed(3, "20:15", HAN, LI, 5_000, "电影票", "person"),
    Deed(2, "11:45", CHEN, NOODLES, 2_600, "打卤面"),
    Deed(2, "12:20", LI, NOODLES, 2_800, "两碗炸酱面"),
    Deed(2, "17:30", HAN, FLOWERS, 16_800, "生日花束", "code"),
    Deed(2, "18:45", WANG, NOODLES, 4_300, "羊肉串", "payment code"),
    Deed(1, "09:15", LIU, NOODLES, 1_100, "包子"),
    Deed(1, "12:10", HAN, NOODLES, 3_600, "牛肉面套餐", "code"),
    Deed(1, "15:20", LI, BOOKS, 15_800, "画册", back=2_000),
    Deed(1, "16:05", WANG, TEA, 2_900, "菊花茶"),
    Deed(1, "17:20", ZHOU, TEA, 3_600, "桂花乌龙", "code"),
    Deed(1, "19:30", CHEN, WANG, 8_000, "拼车", "person"),
    Deed(0, "07:55", LIU, NOODLES, 800, "煎饼", "payment code"),
    Deed(0, "08:10", CHEN, FLOWERS, 5_800, "百合"),
    Deed(0, "08:30", LI, NOODLES, 1_200, "豆浆油条", "payment code"),
    Deed(0, "08:45", HAN, TEA, 3_200, "红茶"),
)
