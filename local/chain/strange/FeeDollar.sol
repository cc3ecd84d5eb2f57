// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";

/// A token that keeps a hundredth of every transfer: less arrives than was sent, and the logs tell both parts.
contract FeeDollar is ERC20 {
    address private immutable keeper;

    constructor() ERC20("Fee Dollar", "USDT") {
        keeper = msg.sender;
        _mint(msg.sender, 1_000_000_000 * 10 ** decimals());
    }

    function decimals() public pure override returns (uint8) {
        return 6;
    }

    function _update(address from, address to, uint256 value) internal override {
        uint256 fee = from == address(0) ? 0 : value / 100;
        super._update(from, to, value - fee);
        if (fee > 0) {
            super._update(from, keeper, fee);
        }
    }
}
