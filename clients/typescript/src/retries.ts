/** When to try again after a cut: pauses that grow, until there was no progress for too long. */
import { isCut, TidemarkError } from "./errors";

const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 5_000;

export class Retries {
  private failingSince: number | undefined;
  private next = FIRST_PAUSE_MS;

  constructor(private readonly giveUpAfterMs: number) {}

  /** Something was acknowledged, or a stream began and nothing waits to be. */
  progressed(): void {
    this.failingSince = undefined;
    this.next = FIRST_PAUSE_MS;
  }

  /** Milliseconds to wait before the next try; throws what trying again does not mend. */
  pauseMs(error: Error, again = isCut(error)): number {
    const now = performance.now();
    this.failingSince ??= now;
    if (!again || now - this.failingSince > this.giveUpAfterMs) throw error;
    const pause = this.next * (0.5 + 0.5 * Math.random());
    this.next = Math.min(2 * this.next, LONGEST_PAUSE_MS);
    return Math.max(pause, (error as TidemarkError).retryAfterMs ?? 0);
  }
}

/** Somebody waits for a change, others make it. */
export class Signal {
  private waiting: Array<() => void> = [];

  notify(): void {
    const woken = this.waiting;
    this.waiting = [];
    for (const wake of woken) wake();
  }

  /** Until something has changed, at most `ms`. */
  wait(ms?: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = ms === undefined ? undefined : setTimeout(resolve, Math.max(0, ms));
      this.waiting.push(() => {
        clearTimeout(timer);
        resolve();
      });
    });
  }
}

/** After so many milliseconds. */
export function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
