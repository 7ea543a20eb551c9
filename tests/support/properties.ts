import fc from 'fast-check';

/** `npm run soak` tries every property, unless it names its own number, on fifty times as many inputs. */
fc.configureGlobal({ numRuns: process.env.SAFLA_SOAK ? 5_000 : 100 });
