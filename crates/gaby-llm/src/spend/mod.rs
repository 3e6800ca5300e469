//! What models may cost: prices as data, and purses that are asked before each call.

mod price;
mod purse;

pub use price::{Price, PriceError, Prices};
pub use purse::{Allowance, Purse, Reservation, Spent, Used};
