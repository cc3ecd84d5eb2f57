// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";

/// A dollar to play with: a plain ERC-20 of six decimals, all of it given to whoever deploys it.
/// Deployed a second time it is another token of the same symbol: the fake that must never be credited.
contract DemoDollar is ERC20 {
    constructor() ERC20("Demo Dollar", "USDT") {
        _mint(msg.sender, 1_000_000_000 * 10 ** decimals());
    }

    function decimals() public pure override returns (uint8) {
        return 6;
    }
}
