//! What the scenarios share.

pub mod drawing;
pub mod view;

pub use drawing::Drawing;
pub use view::View;
