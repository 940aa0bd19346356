"""Settings: everything wrong is said at once, passwords come from files nobody else may read and are never shown."""

from __future__ import annotations

from pathlib import Path

import pytest

from services.chassis.settings import Address, Settings, SettingsFault


def environment(folder: Path, mode: int = 0o600) -> dict[str, str]:
    password = folder / "svc.password"
    password.write_text("s3cret\n")
    password.chmod(mode)
    return {
        "CREDIT_SERVICE": "national_sync",
        "CREDIT_WORKER": "1",
        "CREDIT_KAFKA": "127.0.0.1:19092",
        "CREDIT_KAFKA_USER": "svc-national-sync",
        "CREDIT_KAFKA_PASSWORD_FILE": str(password),
        "CREDIT_POSTGRES_DSN": "postgresql://national_sync@127.0.0.1:19032/national_sync",
        "CREDIT_POSTGRES_PASSWORD_FILE": str(password),
        "CREDIT_REGISTRY": "http://127.0.0.1:19081/apis/ccompat/v7/",
        "CREDIT_HTTP": "127.0.0.1:19105",
        "CREDIT_GRPC": "127.0.0.1:19205",
        "CREDIT_SECRETS": str(folder),
    }


def test_reads_what_the_stack_gives(tmp_path: Path) -> None:
    settings = Settings.from_environment(environment(tmp_path))
    assert settings.group == "national-sync"
    assert settings.kafka_password == "s3cret"
    assert settings.http == Address("127.0.0.1", 19105)
    assert settings.registry.endswith("/v7")


def test_never_shows_a_password(tmp_path: Path) -> None:
    assert "s3cret" not in repr(Settings.from_environment(environment(tmp_path)))


def test_all_faults_at_once(tmp_path: Path) -> None:
    env = environment(tmp_path)
    del env["CREDIT_SERVICE"]
    env |= {"CREDIT_WORKER": "-1", "CREDIT_HTTP": "nowhere", "CREDIT_CRASH_AT": "ingestion:cp11:1"}
    env |= {"CREDIT_POSTGRES_DSN": "postgresql://me:pass@host/db", "CREDIT_KAFKA_PASSWORD_FILE": "/nowhere"}
    with pytest.raises(SettingsFault) as caught:
        Settings.from_environment(env)
    lines = str(caught.value).splitlines()
    names = ("SERVICE", "WORKER", "HTTP", "CRASH_AT", "POSTGRES_DSN", "KAFKA_PASSWORD_FILE")
    assert sorted(line.split()[0].rstrip(":") for line in lines) == sorted("CREDIT_" + name for name in names)
    assert "pass@" not in str(caught.value)


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644, 0o660])
def test_refuses_a_password_file_others_may_read(tmp_path: Path, mode: int) -> None:
    with pytest.raises(SettingsFault, match="chmod 600"):
        Settings.from_environment(environment(tmp_path, mode))
