// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

/// A token whose balances are shares of a supply that its owner changes at will. A change makes no Transfer log.
contract RebasingDollar {
    event Transfer(address indexed from, address indexed to, uint256 value);

    string public constant symbol = "USDT";
    uint8 public constant decimals = 6;
    uint256 public percent = 100;
    mapping(address => uint256) private shares;

    constructor() {
        shares[msg.sender] = 10 ** 15;
        emit Transfer(address(0), msg.sender, 10 ** 15);
    }

    function balanceOf(address owner) external view returns (uint256) {
        return (shares[owner] * percent) / 100;
    }

    function transfer(address to, uint256 value) external returns (bool) {
        uint256 part = (value * 100) / percent;
        shares[msg.sender] -= part;
        shares[to] += part;
        emit Transfer(msg.sender, to, value);
        return true;
    }

    function rebase(uint256 to) external {
        percent = to;
    }
}
