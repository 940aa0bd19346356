"""The two ciphers, by the vectors of those who defined them."""

from __future__ import annotations

import pytest
from cryptography.exceptions import InvalidTag

from services.chassis.cipher import AES, SM4, SUITES, Suite, derived, suite_named

# AES-256-GCM: McGrew and Viega, test case 16. SM4-GCM: RFC 8998, appendix A.1.
VECTORS = {
    "aes-256-gcm": (
        "feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308",
        "cafebabefacedbaddecaf888",
        "feedfacedeadbeeffeedfacedeadbeefabaddad2",
        "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72"
        "1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39",
        "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa"
        "8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662"
        "76fc6ece0f4e1768cddf8853bb2d551b",
    ),
    "sm4-gcm": (
        "0123456789abcdeffedcba9876543210",
        "00001234567800000000abcd",
        "feedfacedeadbeeffeedfacedeadbeefabaddad2",
        "aaaaaaaaaaaaaaaabbbbbbbbbbbbbbbbccccccccccccccccdddddddddddddddd"
        "eeeeeeeeeeeeeeeeffffffffffffffffeeeeeeeeeeeeeeeeaaaaaaaaaaaaaaaa",
        "17f399f08c67d5ee19d0dc9969c4bb7d5fd46fd3756489069157b282bb200735"
        "d82710ca5c22f0ccfa7cbf93d496ac15a56834cbcf98c397b4024a2691233b8d"
        "83de3541e4c2b58177e065a9bf7b62ec",
    ),
}


@pytest.mark.parametrize("name", VECTORS)
def test_it_is_the_standard_cipher(name: str) -> None:
    suite = suite_named(name)
    key, nonce, about, text, sealed = map(bytes.fromhex, VECTORS[name])
    assert suite.seal(key, nonce, text, about).hex() == sealed.hex()
    assert suite.unseal(key, nonce, sealed, about) == text


@pytest.mark.parametrize("suite", SUITES.values(), ids=lambda suite: suite.name)
def test_a_changed_bit_anywhere_is_seen(suite: Suite) -> None:
    key, nonce = bytes(suite.key_bytes), bytes(12)
    sealed = suite.seal(key, nonce, b"text", b"about")
    for at in range(len(sealed)):
        changed = sealed[:at] + bytes((sealed[at] ^ 1,)) + sealed[at + 1 :]
        with pytest.raises(InvalidTag):
            suite.unseal(key, nonce, changed, b"about")
    for wrong in ((key, nonce, sealed, b"About"), (key, nonce, b"", b"about")):
        with pytest.raises(InvalidTag):
            suite.unseal(*wrong)


def test_another_name_is_refused_with_the_names_there_are() -> None:
    with pytest.raises(ValueError, match="aes-256-gcm, sm4-gcm"):
        suite_named("rot13")


def test_no_key_serves_two_ciphers_or_purposes() -> None:
    made = {derived(bytes(32), suite, purpose)[:16] for suite in (AES, SM4) for purpose in (b"a", b"b")}
    assert len(made) == 4
