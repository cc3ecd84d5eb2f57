"""Derives keys by the package eth-account. Reads a JSON list of mnemonics and writes for each the EVM address of the keys on
the paths of EVM chains, of TRON and of Bitcoin."""

import json
import sys

from eth_account import Account

PLACES = [(0, 0, 0), (0, 0, 1), (0, 1, 0), (7, 0, 2147483647)]
PATHS = {"EVM": "m/44'/60'", "TRON": "m/44'/195'", "Bitcoin": "m/84'/0'"}

Account.enable_unaudited_hdwallet_features()


def keys(words):
    return {name: [Account.from_mnemonic(words, account_path=f"{path}/{account}'/{change}/{index}").address.lower()
                   for account, change, index in PLACES] for name, path in PATHS.items()}


json.dump([keys(words) for words in json.load(sys.stdin)], sys.stdout)
