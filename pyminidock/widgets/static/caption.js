// What happened in this step, in words: what, then how and why, then which kernel call, as
// deep as one likes to read.  Beside it how we know, and when; below it what one would type
// in plain Linux to have the same.

class MdCaption {
  /** @param {MdPlayer} player */
  constructor(player) {
    const { say, signal } = player;
    this._player = player;
    this._part = mdElement("p", { class: "md-ui-part" });
    this._said = [1, 2, 3].map((depth) => mdElement("p", { class: `md-ui-say md-ui-say-${depth}` }));
    this._evidence = mdElement("span", { class: "md-ui-evidence" });
    this._time = mdElement("span", { class: "md-ui-time" });
    this._group = mdElement("span", { class: "md-ui-group" });
    this._src = mdElement("button", {
      class: "md-ui-src", type: "button", title: player.keys.titled("source", say("source")),
      on: { click: () => player.act("source") }, signal,
    });
    this._copy = mdElement("button", {
      class: "md-ui-copy", type: "button", text: say("copy"),
      on: { click: () => player.act("copy") }, signal,
    });
    this._stop = mdElement("span", { class: "md-ui-stop" });
    this._linux = mdElement("p", { class: "md-ui-linux" });
    this._depths = [1, 2, 3].map((depth) => this._depthButton(depth));
    this.element = mdElement(
      "div", { class: "md-ui-caption" },
      mdElement(
        "div", { class: "md-ui-caption-top" }, this._part,
        mdElement(
          "div", { class: "md-ui-depths", role: "group", "aria-label": say("depth") },
          ...this._depths,
        ),
      ),
      mdElement("div", { class: "md-ui-says" }, ...this._said),
      this._linux,
      mdElement("p", { class: "md-ui-facts" }, this._group, this._evidence, this._time, this._src,
        this._copy, this._stop),
    );
  }

  /** Show the step at which one stands. */
  show() {
    const { film, parts, say, depth, shows } = this._player;
    const frame = film.frame(film.position);
    const part = parts.at(film.position);
    mdPut(this._part, part?.head ?? "");
    const lines = frame ? frame.say : [say("before-says"), say("before-how"), ""];
    this._said.forEach((line, n) => {
      const text = lines[n] ?? "";
      mdPut(line, text);
      line.hidden = n >= depth || !text || (n > 0 && text === lines[n - 1]);
    });
    this._depths.forEach((button, n) => mdSet(button, "aria-pressed", String(n + 1 === depth)));
    this._showFacts(frame);
    this._showLinux(frame, shows.linux);
  }

  _showFacts(frame) {
    const { film, say, isStop } = this._player;
    const [glyph, meaning] = film.header.evidence?.[frame?.ev ?? ""] ?? ["?", frame?.ev ?? ""];
    mdPut(this._evidence, frame ? `${glyph} ${meaning}` : "");
    mdPut(this._time, frame ? mdSeconds(frame.t) : "");
    const { first, last } = mdReadAsOne(film, film.position);
    const isGroup = this._player.depth === 1 && first < last;
    mdPut(this._group, isGroup ? say("group", { n: last - first + 1, from: first, to: last }) : "");
    this._group.hidden = !isGroup;
    mdPut(this._src, frame?.src ?? "");
    this._src.hidden = !frame?.src;
    this._copy.hidden = !frame;
    mdPut(this._stop, frame && isStop(frame) ? `■ ${say("stops-here")}` : "");
  }

  _showLinux(frame, isShown) {
    this._linux.hidden = !isShown;
    this._linux.classList.toggle("md-ui-linux-none", !frame?.linux);
    const none = frame?.ev === "acknowledged" ? this._player.say("linux-none") : "";
    mdPut(this._linux, frame?.linux ? `# ${frame.linux}` : none);
  }

  _depthButton(depth) {
    const action = `depth-${depth}`;
    const { say, keys, signal } = this._player;
    return mdElement("button", {
      class: "md-ui-depth", type: "button", text: say(action), "aria-pressed": "false",
      title: keys.titled(action, say(action)), signal,
      on: { click: () => this._player.act(action) },
    });
  }
}
