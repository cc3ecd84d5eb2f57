// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

/// A token that tells of a transfer and then takes everything back: of 13 units always, and of others while it is paused.
contract FickleDollar {
    event Transfer(address indexed from, address indexed to, uint256 value);

    string public constant symbol = "USDT";
    uint8 public constant decimals = 6;
    bool public paused;

    function transfer(address to, uint256 value) public returns (bool) {
        emit Transfer(msg.sender, to, value);
        require(value != 13 && !paused, "taken back");
        return true;
    }

    /// Goes on where the transfer inside was taken back: the transaction succeeds, and its log is gone.
    function attempt(address to, uint256 value) external {
        try this.transfer(to, value) {} catch {}
    }

    function pause(bool on) external {
        paused = on;
    }
}
