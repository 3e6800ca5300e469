//! The instruction sets that the model runs on, found out once when it is first used.
//!
//! A [`Task`] is written once in plain Rust over an [`Isa`]; [`Level::run`] compiles it for each
//! instruction set and runs the one asked for.

use std::sync::OnceLock;

use super::kernel::{self, Product};

/// An instruction set: the matrix product written for it, and whether `a * b + c` is one
/// instruction. [`Level::run`] alone hands one out.
pub(super) trait Isa: Copy {
    /// Whether multiply-add is one instruction.
    const FUSED: bool;
    /// The product of quantised rows with packed weights.
    fn multiply(self, product: Product<'_>);
}

/// Work that is compiled for every instruction set. Mark `run` `#[inline(always)]`, and what it
/// calls, or it is compiled for the baseline only.
pub(super) trait Task {
    /// What the work gives.
    type Output;
    /// Does it.
    fn run<I: Isa>(self, isa: I) -> Self::Output;
}

/// An instruction set that a machine may have, best first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Level {
    /// AVX-512 with the 8-bit dot product.
    #[cfg(target_arch = "x86_64")]
    Avx512Vnni,
    /// The 8-bit dot product on 256-bit registers.
    #[cfg(target_arch = "x86_64")]
    AvxVnni,
    /// 256-bit integers.
    #[cfg(target_arch = "x86_64")]
    Avx2,
    /// Whatever the target's baseline gives.
    Portable,
}

impl Level {
    /// The best level of this machine.
    pub(super) fn best() -> Self {
        static BEST: OnceLock<Level> = OnceLock::new();
        *BEST.get_or_init(|| Self::all().into_iter().next().unwrap_or(Self::Portable))
    }

    /// Every level of this machine, best first.
    pub(super) fn all() -> Vec<Self> {
        let mut levels = vec![Self::Portable];
        #[cfg(target_arch = "x86_64")]
        if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") {
            levels.push(Self::Avx2);
            if is_x86_feature_detected!("avxvnni") {
                levels.push(Self::AvxVnni);
            }
            if is_x86_feature_detected!("avx512f")
                && is_x86_feature_detected!("avx512bw")
                && is_x86_feature_detected!("avx512vl")
                && is_x86_feature_detected!("avx512vnni")
            {
                levels.push(Self::Avx512Vnni);
            }
        }
        levels.reverse();
        levels
    }

    /// Does the task with this level's instructions, or with the baseline's on a machine that
    /// has not got them.
    pub(super) fn run<T: Task>(self, task: T) -> T::Output {
        #[cfg(target_arch = "x86_64")]
        if Self::all().contains(&self) {
            // SAFETY: `all` lists a level only when the machine has every one of its features.
            unsafe {
                match self {
                    Self::Avx512Vnni => return x86::with_avx512_vnni(task),
                    Self::AvxVnni => return x86::with_avx_vnni(task),
                    Self::Avx2 => return x86::with_avx2(task),
                    Self::Portable => {}
                }
            }
        }
        task.run(Portable)
    }
}

/// Runs everywhere.
#[derive(Debug, Clone, Copy)]
pub(super) struct Portable;

impl Isa for Portable {
    const FUSED: bool = false;
    #[inline(always)]
    fn multiply(self, product: Product<'_>) {
        kernel::portable(product);
    }
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    use super::{Isa, Product, Task, kernel};

    /// Declares the token of one instruction set and the function that compiles a task for it.
    macro_rules! instruction_set {
        ($token:ident, $with:ident, $kernel:path, $features:literal) => {
            #[derive(Debug, Clone, Copy)]
            pub(super) struct $token(());

            impl Isa for $token {
                const FUSED: bool = true;
                #[inline(always)]
                fn multiply(self, product: Product<'_>) {
                    // SAFETY: a token is made only below, where the features are known to be there.
                    unsafe { $kernel(product) }
                }
            }

            #[target_feature(enable = $features)]
            pub(super) fn $with<T: Task>(task: T) -> T::Output {
                task.run($token(()))
            }
        };
    }

    instruction_set!(Avx2, with_avx2, kernel::avx2, "avx2,fma");
    instruction_set!(AvxVnni, with_avx_vnni, kernel::avx_vnni, "avx2,fma,avxvnni");
    instruction_set!(
        Avx512Vnni,
        with_avx512_vnni,
        kernel::avx512_vnni,
        "avx2,fma,avx512f,avx512bw,avx512vl,avx512vnni"
    );
}
