// The row that one looks at first: five buttons, the way through the story, and the number
// of the step.  One button is filled, Next, and at the end of a story Start: whoever knows
// nothing yet finds it.  Buttons that cannot be used keep their focus: they say that they are
// disabled, and do nothing.

class MdToolbar {
  /** @param {MdPlayer} player */
  constructor(player) {
    const { say, signal } = player;
    this._player = player;
    this._say = say;
    this._buttons = new Map();
    this._ticks = mdElement("div", { class: "md-ui-ticks", "aria-hidden": "true" });
    this._range = mdElement("input", {
      class: "md-ui-range", type: "range", min: 0, max: 0, step: 1, value: 0,
      "aria-label": say("range"),
      on: { input: () => player.scrub(Number(this._range.value)) }, signal,
    });
    this._number = this._numberField(signal);
    this._total = mdElement("span", { class: "md-ui-total" });
    this.element = mdElement(
      "div", { class: "md-ui-toolbar", role: "toolbar", "aria-label": say("toolbar") },
      mdElement(
        "div", { class: "md-ui-buttons" },
        this._button("first", "|◀", say("first"), signal),
        this._button("previous", "◀", say("previous"), signal),
        this._button("play", "▶▶", say("play"), signal),
        this._button("next", "▶", say("next"), signal),
        this._button("last", "▶|", say("last"), signal),
      ),
      mdElement("div", { class: "md-ui-way" }, this._range, this._ticks),
      mdElement(
        "label", { class: "md-ui-position" },
        mdElement("span", { text: say("step-label") }), this._number, this._total,
      ),
    );
  }

  /** Show where one stands. */
  show() {
    const { film, parts, isPlaying, live } = this._player;
    const { position, length } = film;
    const frame = film.frame(position);
    mdSet(this._range, "max", length);
    this._range.value = String(position);
    const place = position ? this._say("position", { i: position, n: length }) : this._say("before");
    mdSet(this._range, "aria-valuetext", frame ? `${place}: ${frame.say[0]}` : place);
    if (document.activeElement !== this._number) {
      this._number.value = String(position);
    }
    mdPut(this._total, this._say("of", { n: length }));
    this._enable("first", position > 0);
    this._enable("previous", position > 0);
    this._enable("next", position < length || Boolean(live.held));
    this._enable("last", position < length);
    this._enable("play", length > 0);
    const isOver = length > 0 && position === length && !live.held && !live.live;
    this._buttons.get("next").classList.toggle("md-ui-primary", !isOver);
    this._buttons.get("first").classList.toggle("md-ui-primary", isOver);
    const word = isPlaying ? "pause" : live.live ? "follow" : "play";
    this._word("play", isPlaying ? "❚❚" : "▶▶", this._say(word));
    this._drawTicks(parts.list, length);
  }

  /** Let the number of a step be typed. */
  askNumber() {
    this._number.focus();
    this._number.select();
  }

  _numberField(signal) {
    const go = () => {
      const wanted = Number.parseInt(this._number.value, 10);
      if (Number.isFinite(wanted)) {
        this._player.goto(wanted);
      }
      this._number.value = String(this._player.film.position);
    };
    return mdElement("input", {
      class: "md-ui-number", type: "text", inputmode: "numeric", autocomplete: "off", size: 5,
      enterkeyhint: "go", "aria-label": this._say("goto"), value: "0", signal,
      on: {
        change: go,
        keydown: (event) => event.key === "Enter" && (go(), this._number.select()),
        focus: () => this._number.select(),
      },
    });
  }

  _button(action, glyph, word, signal) {
    const name = this._say(action);
    const keys = this._player.keys.shown(action);
    const button = mdElement(
      "button",
      {
        class: `md-ui-button md-ui-button-${action}`, type: "button", signal,
        title: keys ? `${name} (${keys})` : name,
        on: { click: () => this._press(action) },
      },
      mdElement("span", { class: "md-ui-glyph", "aria-hidden": "true", text: glyph }),
      mdElement("span", { class: "md-ui-word", text: word }),
    );
    this._buttons.set(action, button);
    return button;
  }

  _press(action) {
    if (this._buttons.get(action).getAttribute("aria-disabled") !== "true") {
      this._player.act(action);
    }
  }

  _enable(action, isEnabled) {
    mdSet(this._buttons.get(action), "aria-disabled", isEnabled ? null : "true");
  }

  _word(action, glyph, word) {
    const button = this._buttons.get(action);
    mdPut(button.querySelector(".md-ui-glyph"), glyph);
    mdPut(button.querySelector(".md-ui-word"), word);
  }

  /** Mark where parts begin, and where one stops; drawn anew only when that is another. */
  _drawTicks(parts, length) {
    const stops = this._player.stopsInStory();
    const drawn = `${parts.length} ${length} ${stops.join()}`;
    if (drawn === this._drawn) {
      return;
    }
    this._drawn = drawn;
    const every = Math.ceil(parts.length / MD_MOST_TICKS);
    const shown = parts.filter((_, n) => n % every === 0);
    this._ticks.replaceChildren(
      ...shown.map(({ start }) => this._tick(start, length, "md-ui-tick")),
      ...stops.slice(0, MD_MOST_TICKS).map((i) => this._tick(i, length, "md-ui-tick md-ui-tick-stop")),
    );
  }

  _tick(i, length, name) {
    const tick = mdElement("span", { class: name });
    tick.style.setProperty("inset-inline-start", `${(100 * i) / Math.max(length, 1)}%`);
    return tick;
  }
}

const MD_MOST_TICKS = 120;
