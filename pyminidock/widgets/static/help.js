// The list of keys, in a dialog; and the switch for single letters, for whoever speaks to
// the computer or uses them for something else.

class MdHelp {
  /** @param {MdPlayer} player */
  constructor(player) {
    const { say, keys, signal } = player;
    const title = mdElement("h2", { class: "md-ui-help-title", id: mdId("help"), text: say("help") });
    const letters = mdElement("input", {
      type: "checkbox", checked: true, signal,
      on: { change: () => { keys.hasLetters = letters.checked; } },
    });
    this._returns = null;
    this.element = mdElement(
      "dialog", { class: "md-ui-help", "aria-labelledby": title.id, signal,
        on: { close: () => this._returns?.focus() } },
      title,
      mdElement(
        "table", { class: "md-ui-help-table" },
        mdElement("caption", { class: "md-sr", text: say("help") }),
        mdElement("tbody", {}, ...keys.rows.map((row) => mdElement(
          "tr", {},
          mdElement("th", { scope: "row" }, mdElement("kbd", { text: row.shown })),
          mdElement("td", { text: row.says }),
        ))),
      ),
      mdElement("label", { class: "md-ui-letters" }, letters, mdElement("span", { text: say("letters") })),
      mdElement("p", { class: "md-ui-legend", text: this._legend(player.film.header) }),
      mdElement("button", {
        class: "md-ui-button", type: "button", text: say("close"), signal,
        on: { click: () => this.close() },
      }),
    );
  }

  /** Whether it is open. */
  get isOpen() {
    return this.element.open;
  }

  /** Open it; what has the focus gets it back later. */
  open() {
    this._returns = document.activeElement;
    this.element.showModal();
  }

  /** Close it. */
  close() {
    this.element.close();
  }

  _legend(header) {
    const marks = Object.values(header.evidence ?? {}).map(([glyph, words]) => `${glyph} ${words}`);
    return marks.join("   ");
  }
}
