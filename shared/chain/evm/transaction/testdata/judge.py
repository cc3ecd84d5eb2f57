"""Judges signed transactions and digests by the package eth-account. Reads JSON of {"transactions", "personal", "typed"} and
writes what each transaction says (null where it is none) and the digest of each message."""

import json
import sys

import rlp
from eth_abi import decode
from eth_account import Account
from eth_account._utils.legacy_transactions import Transaction
from eth_account.messages import _hash_eip191_message, encode_defunct, encode_typed_data
from eth_account.typed_transactions import TypedTransaction
from eth_utils import keccak, to_bytes
from hexbytes import HexBytes

TRANSFER = keccak(text="transfer(address,uint256)")[:4]


def said(text):
    raw = HexBytes(text)
    try:
        one = dynamic(raw) if raw[0] == 2 else legacy(raw)
        one["from"] = Account.recover_transaction(raw).lower()
        data = one.pop("data")
        if data:
            to, amount = decode(["address", "uint256"], data[4:], strict=True)
            if data[:4] != TRANSFER or len(data) != 68 or one["amount"] != "0":
                return None
            one |= {"token": one["to"], "to": to.lower(), "amount": str(amount)}
    except Exception:  # whatever a judge has against a transaction
        return None
    return one | {"hash": "0x" + keccak(raw).hex()}


def legacy(raw):
    tx = rlp.decode(raw, Transaction)
    return {"kind": 0, "chain": (tx.v - 35) // 2, "nonce": tx.nonce, "gas": tx.gas, "max": str(tx.gasPrice), "tip": "0",
            "token": "", "to": "0x" + tx.to.hex(), "amount": str(tx.value), "data": tx.data}


def dynamic(raw):
    tx = TypedTransaction.from_bytes(raw).as_dict()
    return {"kind": 2, "chain": tx["chainId"], "nonce": tx["nonce"], "gas": tx["gas"], "max": str(tx["maxFeePerGas"]),
            "tip": str(tx["maxPriorityFeePerGas"]), "token": "", "to": "0x" + bytes(tx["to"]).hex(),
            "amount": str(tx["value"]), "data": bytes(tx["data"])}


asked = json.load(sys.stdin)
json.dump({
    "transactions": [said(text) for text in asked["transactions"]],
    "personal": ["0x" + _hash_eip191_message(encode_defunct(to_bytes(hexstr=raw))).hex() for raw in asked["personal"]],
    "typed": ["0x" + _hash_eip191_message(encode_typed_data(full_message=json.loads(text))).hex() for text in asked["typed"]],
}, sys.stdout)
