"""Civil complaints as a Korean city office gets them: 600 of four kinds, with region, day, amount, subject and text.

Texts are composed from phrases that such complaints are made of; the same seed gives the same rows.
"""

# ruff: noqa: E501

import csv
import random
from datetime import date, timedelta
from pathlib import Path

ROWS = 600
CLASSES = ("교통", "환경", "시설", "복지")
COLUMNS = ("접수번호", "지역", "접수일", "처리금액", "접수경로", "제목", "본문")
REGIONS = ("마포구", "성동구", "수원시 영통구", "부산 해운대구", "전주시 완산구", "제주시")
CHANNELS = ("전화", "국민신문고", "방문", "모바일 앱")
# Per class: subjects, what happens, and the usual amount in won.
PHRASES: dict[str, tuple[tuple[str, ...], tuple[str, ...], int]] = {
    "교통": (
        ("버스 정류장 앞 불법 주정차", "마을버스 배차 간격", "횡단보도 신호 시간", "어린이 보호구역 과속 차량", "자전거 도로 단절"),
        ("출퇴근 시간마다 차량이 뒤엉켜 버스가 정차하지 못합니다", "보행 신호가 짧아 어르신이 다 건너지 못합니다",
         "배차가 30분 넘게 벌어져 지각하는 일이 잦습니다", "과속 단속 카메라를 설치해 주시기 바랍니다", "주차 단속을 강화해 주세요"),
        40_000,
    ),
    "환경": (
        ("공사장 소음과 비산 먼지", "음식물 쓰레기 악취", "하천변 무단 투기", "미세먼지 저감 조치", "야간 소각 연기"),
        ("새벽부터 공사 소음이 심해 잠을 잘 수 없습니다", "쓰레기를 제때 수거하지 않아 악취가 심합니다",
         "하천에 폐수를 버리는 것을 보았습니다", "창문을 열 수 없을 만큼 먼지가 날립니다", "분리수거함이 넘쳐 벌레가 생깁니다"),
        120_000,
    ),
    "시설": (
        ("보도블록 파손", "가로등 고장", "공원 놀이터 미끄럼틀 파손", "맨홀 뚜껑 침하", "공중화장실 누수"),
        ("밤에 너무 어두워 넘어질 뻔했습니다", "보도가 깨져 유모차가 지나갈 수 없습니다",
         "나사가 빠져 있어 아이들이 다칠까 걱정됩니다", "수리를 요청한 지 두 달이 지났는데 그대로입니다", "물이 새어 바닥이 미끄럽습니다"),
        350_000,
    ),
    "복지": (
        ("기초연금 신청 절차", "독거노인 돌봄 서비스", "장애인 활동 지원 시간", "한부모 가정 양육비 지원", "긴급 생계비 지원"),
        ("서류를 여러 번 내야 해서 어르신이 신청을 포기하셨습니다", "도우미 방문이 줄어 식사를 거르는 날이 있습니다",
         "소득 기준이 바뀌어 지원금이 끊겼습니다", "상담 전화가 연결되지 않습니다", "지원 대상인지 확인해 주시기 바랍니다"),
        500_000,
    ),
}  # fmt: skip
OPENINGS = ("안녕하세요.", "수고 많으십니다.", "민원 드립니다.", "여러 번 말씀드렸습니다만,", "급히 확인 부탁드립니다.")
CLOSINGS = (
    "빠른 조치 부탁드립니다.",
    "현장을 확인해 주세요.",
    "답변 기다리겠습니다.",
    "사진을 첨부합니다.",
    "감사합니다.",
)
# What data may hold and a terminal must not obey: markup, escape codes, a bidi override, a flag, a zero-width joiner.
HOSTILE = "[bold]굵게[/bold] \x1b[2J\x1b[31m빨강 \u202eopposite\u202c 🇰🇷 가\u200b나 [/]"


def complaints(rows: int = ROWS, seed: int = 7) -> list[dict[str, str]]:
    """Return complaints, each with its true class under ``분류``; the last one's text tries to be more than text."""
    chance = random.Random(seed)
    found: list[dict[str, str]] = []
    for number in range(rows):
        kind = chance.choices(CLASSES, (35, 30, 20, 15))[0]
        subjects, happens, amount = PHRASES[kind]
        subject, region = chance.choice(subjects), chance.choice(REGIONS)
        said = " ".join(chance.sample(happens, 2))
        body = f"{chance.choice(OPENINGS)} {region} {subject} 관련입니다. {said}. {chance.choice(CLOSINGS)}"
        found.append(
            {
                "접수번호": f"민원-{2025_0001 + number}",
                "지역": region,
                "접수일": (date(2025, 1, 1) + timedelta(days=number * 300 // rows)).isoformat(),
                "처리금액": ""
                if chance.random() < 0.1
                else str(round(amount * chance.uniform(0.4, 2.0), -2)).split(".")[0],
                "접수경로": chance.choice(CHANNELS),
                "제목": f"{region} {subject}",
                "본문": f"{body} {HOSTILE}" if number == rows - 1 else body,
                "분류": kind,
            }
        )
    return found


def truth(rows: int = ROWS) -> dict[str, str]:
    """Return the true class of each complaint by its number."""
    return {row["접수번호"]: row["분류"] for row in complaints(rows)}


def write_complaints(path: Path, rows: int = ROWS) -> None:
    """Write the complaints without their class, as the office would hand them over."""
    with open(path, "w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS, extrasaction="ignore")
        writer.writeheader()
        writer.writerows(complaints(rows))


CONFIG = """# 민원 분류
[problem]
title = "민원 분류"
question = "이 민원은 어느 부서로 가야 합니까?"
task = "multiclass"

[sources.complaints]
path = "민원.csv"
format = "csv"

[dataset]
name = "complaints"
base = "complaints"
key = ["접수번호"]
time = "접수일"

[dataset.split]
train = { start = "2025-01-01", end = "2025-09-01" }
validation = { start = "2025-09-01", end = "2025-12-01" }

[labels.topic]
column = "분류"
classes = ["교통", "환경", "시설", "복지"]
keys = { "교통" = "f", "환경" = "j" }
show = ["지역", "접수일", "처리금액", "제목", "본문"]
question = "이 민원은 어느 부서로 가야 합니까?"

[features]
offered = ["지역", "처리금액", "접수경로", "제목"]

[presets.default]
rounds = 15
parameters = { num_leaves = 7, min_data_in_leaf = 3 }
"""


def make_workspace(folder: Path, rows: int = ROWS) -> Path:
    """Make a workspace of the complaints that was never synced, and return its folder."""
    from lemnis.engine.workspace import create_workspace

    create_workspace(folder, CONFIG)
    write_complaints(folder / "민원.csv", rows)
    return folder
