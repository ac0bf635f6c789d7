// All that a stepper of a notebook keeps: not the player, only the way to it.
//
//     model ── "code" ──► kernel ── player, style ──► the page has them, for all its steppers
//
// A notebook may save the script of each of its widgets, and twenty steppers are twenty of
// them; so that script is this one, and the player comes once for a page.  `code` names the
// player that the kernel would send: after an update both may be on one page.

const mdPlayers = (globalThis.mdPlayers ??= new Map()); // by name: who awaits one, gets it

/** Give the player that a model names, when it has come. */
function mdPlayerOf(model, signal) {
  const name = model.get("code");
  if (!mdPlayers.has(name)) {
    const came = {};
    came.promise = new Promise((resolve) => Object.assign(came, { resolve }));
    mdPlayers.set(name, came);
  }
  const player = mdPlayers.get(name);
  const heard = async (message, buffers) => {
    if (message.t === "code" && message.name === name && !player.module) {
      player.module = mdImport(name, ...buffers.map((each) => new TextDecoder().decode(each)));
      player.resolve(await player.module);
    }
  };
  if (!player.module) {
    model.on("msg:custom", heard);
    signal.addEventListener("abort", () => model.off("msg:custom", heard));
    model.send({ t: "code" });
  }
  return player.promise;
}

async function mdImport(name, script, look) {
  const style = document.createElement("style");
  style.id = `md-player-${name}`;
  style.textContent = look;
  document.head.append(style);
  const address = URL.createObjectURL(new Blob([script], { type: "text/javascript" }));
  try {
    return await import(address);
  } finally {
    URL.revokeObjectURL(address);
  }
}

export default () => {
  let made = null; // one per model: this function runs once for each
  return {
    initialize({ model, signal }) {
      made = mdPlayerOf(model, signal).then((player) => {
        const widget = player.default();
        widget.initialize({ model, signal });
        return widget;
      });
    },
    render({ el, signal }) {
      made.then((widget) => signal.aborted || widget.render({ el, signal }));
    },
  };
};
