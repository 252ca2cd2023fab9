//! Keys and points as they stand in transactions and files: bytes that were not looked at. Whether they are points of the
//! groups is found out where they are used.

macro_rules! encoded {
    ($(#[$doc:meta])* $name:ident, $length:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq)]
        pub struct $name(pub [u8; $length]);

        impl $name {
            pub const BYTES: usize = $length;
        }

        $crate::ids::of_bytes!($name, $length);
        $crate::ids::hex_text!($name);
    };
}

pub(crate) use encoded;

encoded!(
    /// An issuer's public key: a point of G2, compressed.
    VoucherKey,
    96
);
encoded!(
    /// A point of G1, compressed: what is to be signed blindly, what was, a voucher's signature, a proof of possession.
    VoucherPoint,
    48
);
