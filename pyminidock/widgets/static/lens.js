// The source lens: the lines of the engine around the one that told this step.  A recording
// brings the lines along, for the engine that opens it may be another one, or none at all.

const MD_LENS_LINES = 40;

class MdLens {
  /** @param {MdPlayer} player */
  constructor(player) {
    this._player = player;
    this._title = mdElement("div", {
      class: "md-ui-lens-title", role: "heading", "aria-level": player.level + 1,
    });
    this._code = mdElement("pre", {
      class: "md-ui-code md-ui-lens-code", role: "group", tabindex: 0,
      "aria-label": player.say("source"),
    });
    this._none = mdElement("p", { class: "md-ui-lens-none" });
    this.element = mdElement(
      "div", { class: "md-ui-lens", hidden: true }, this._title, this._none, this._code,
    );
  }

  /** Show the lines of the step at which one stands. */
  show(isShown) {
    const isOpened = isShown && this.element.hidden;
    this.element.hidden = !isShown;
    const { film, sources, say } = this._player;
    const src = film.frame(film.position)?.src ?? "";
    if (!isShown || this._drawn === src) {
      this._come(isOpened);
      return;
    }
    const excerpt = mdExcerpt(sources, src);
    this._drawn = excerpt ? src : "";
    mdPut(this._title, src || say("source"));
    mdPut(this._none, excerpt ? "" : src ? say("source-none") : say("source-nobody"));
    this._none.hidden = Boolean(excerpt);
    this._code.hidden = !excerpt;
    this._code.replaceChildren(...(excerpt ? this._lines(excerpt) : []));
    this._scrollToMark();
    this._come(isOpened);
  }

  /** Whoever opened it far above wants to see it. */
  _come(isOpened) {
    if (isOpened) {
      this.element.scrollIntoView({ block: "nearest" });
    }
  }

  _lines({ first, lines, marked }) {
    return lines.map((text, n) => {
      const number = first + n;
      const isMarked = number === marked;
      return mdElement(
        "span",
        { class: isMarked ? "md-ui-line md-ui-line-marked" : "md-ui-line", "aria-current": isMarked ? "true" : null },
        mdElement("span", { class: "md-ui-line-number", text: `${isMarked ? "►" : " "} ${number} ` }),
        mdElement("code", { text: `${text}\n` }),
      );
    });
  }

  _scrollToMark() {
    const mark = this._code.querySelector(".md-ui-line-marked");
    if (mark) {
      this._code.scrollTop = mark.offsetTop - this._code.clientHeight / 2;
      this._code.scrollLeft = 0;
    }
  }
}

/**
 * Give up to 40 lines around the one that `src` ("container/plan.py:117") names, of the
 * windows that came along; null where it is in none.
 */
function mdExcerpt(sources, src) {
  const [, path, digits] = /^(.*):(\d+)$/.exec(src) ?? [];
  const marked = Number(digits);
  const windows = path && Object.hasOwn(sources ?? {}, path) ? sources[path] : [];
  for (const [first, text] of windows) {
    const lines = text.split("\n");
    if (marked >= first && marked < first + lines.length) {
      const from = Math.max(0, marked - first - MD_LENS_LINES / 2);
      return { first: first + from, lines: lines.slice(from, from + MD_LENS_LINES), marked };
    }
  }
  return null;
}
