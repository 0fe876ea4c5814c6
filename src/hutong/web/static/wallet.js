// What every page of the wallet shares.
import "./kit.js";
