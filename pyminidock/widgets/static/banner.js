// What a live story waits for, in one line with three buttons; and the one voice for whoever
// listens instead of looks.

const MD_QUIET_MS = 500; // between two things said

/** "Held after step 18: …" with Step, Continue and Abort; or that the engine is gone. */
class MdBanner {
  /** @param {MdPlayer} player */
  constructor(player) {
    this._player = player;
    this._words = mdElement("p", { class: "md-ui-banner-words" });
    this._orders = mdElement(
      "span", { class: "md-ui-orders", role: "group", "aria-label": player.say("orders") },
      ...["step", "continue", "abort"].map((word) => this._order(word)),
    );
    this.element = mdElement(
      "div", { class: "md-ui-banner", hidden: true }, this._words, this._orders,
    );
  }

  /** Show what is held, or that nobody is there any more. */
  show() {
    const { live, film, say, missing } = this._player;
    const words = mdBannerWords(live, film, missing, say);
    this.element.hidden = !words;
    this.element.classList.toggle("md-ui-banner-gone", Boolean(live.gone));
    this.element.classList.toggle("md-ui-banner-held", Boolean(live.held));
    mdPut(this._words, words);
    const hadFocus = this._orders.contains(document.activeElement);
    this._orders.hidden = !live.held || Boolean(live.gone);
    if (hadFocus && this._orders.hidden) {
      this._player.root.focus({ preventScroll: true });
    }
  }

  _order(word) {
    const { say, keys, signal } = this._player;
    const action = { step: "next", continue: "continue" }[word] ?? "";
    return mdElement("button", {
      class: `md-ui-button md-ui-order md-ui-order-${word}`, type: "button", text: say(word),
      title: action ? keys.titled(action, say(word)) : say(word), signal,
      on: { click: () => this._player.order(word) },
    });
  }
}

/** The words of the banner; "" where nothing has to be said. */
function mdBannerWords(live, film, missing, say) {
  if (live.gone) {
    return say("gone");
  }
  if (missing) {
    return say("gap", missing);
  }
  if (live.held) {
    return say("held-after", { i: live.held, says: live.says || say("held") });
  }
  const leaps = film.left ? say("leaps", { n: film.left.toLocaleString("en") }) : "";
  return film.isFull ? say("full", { n: film.length }) : [live.says, leaps].filter(Boolean).join(" · ");
}

/** One polite voice: the last of what was said within half a second. */
class MdVoice {
  constructor(signal) {
    this.element = mdElement("div", { class: "md-sr", role: "status", "aria-live": "polite" });
    this._timer = null;
    signal?.addEventListener("abort", () => clearTimeout(this._timer));
  }

  say(words) {
    clearTimeout(this._timer);
    this._timer = setTimeout(() => mdPut(this.element, words), MD_QUIET_MS);
  }
}
