// Playing: one step after the other, as fast as somebody can read, or as it was recorded.

const MD_STEP_MS = 800; // one step at speed 1
const MD_SPEEDS = ["0.25", "0.5", "1", "2", "4", "recorded"];
const MD_LONGEST_MS = 5000; // nobody waits longer for a step that was recorded
const MD_SHORTEST_MS = 16;

/** A clock that calls `next` until it gives false, or until it is stopped. */
class MdPace {
  /** @param {{next: () => boolean, gap: () => number, signal: AbortSignal}} options */
  constructor({ next, gap, signal }) {
    this._next = next;
    this._gap = gap; // seconds to the next step, as recorded
    this._timer = null;
    this.speed = "1";
    signal?.addEventListener("abort", () => this.stop());
  }

  /** Whether it goes. */
  get isGoing() {
    return this._timer !== null;
  }

  /** Begin; the first step is made at once. */
  start() {
    this._timer ??= setTimeout(() => this._tick(), 0);
  }

  /** Stop where one stands. */
  stop() {
    clearTimeout(this._timer);
    this._timer = null;
  }

  _tick() {
    this._timer = null;
    if (this._next()) {
      this._timer = setTimeout(() => this._tick(), mdDelay(this.speed, this._gap()));
    }
  }
}

/** Milliseconds until the next step. */
function mdDelay(speed, gap_s) {
  if (speed === "recorded") {
    return Math.min(Math.max(gap_s * 1000, MD_SHORTEST_MS), MD_LONGEST_MS);
  }
  return MD_STEP_MS / Number(speed);
}
