// The viewer of the dashboard around OpenSeadragon: original and analysed image, heat map, boxes,
// window and level, side by side. A row of the worklist opens here at once ("boneage-open").

let library = null;

function load(address) {
  library ??= new Promise((resolve, reject) => {
    if (window.OpenSeadragon) { resolve(window.OpenSeadragon); return; }
    const script = document.createElement("script");
    script.src = address;
    script.onload = () => resolve(window.OpenSeadragon);
    script.onerror = () => { library = null; reject(new Error("no library")); };
    document.head.append(script);
  });
  return library;
}

function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else made.setAttribute(name, value);
  }
  made.append(...children);
  return made;
}

// One image: its preview at once, its full resolution as soon as it is there.
class Pane {
  constructor(owner, OpenSeadragon) {
    this.owner = owner;
    this.OSD = OpenSeadragon;
    this.caption = element("div", { class: "caption" });
    this.holder = element("div", { style: "position:absolute;inset:0" });
    this.root = element("div", { class: "pane" }, this.holder, this.caption);
  }

  start() {
    this.osd = this.OSD({
      element: this.holder, showNavigationControl: false, drawer: "canvas", animationTime: 0.3,
      minZoomImageRatio: 0.7, maxZoomPixelRatio: 8, visibilityRatio: 0.3, preserveViewport: true,
      gestureSettingsMouse: { clickToZoom: false, dblClickToZoom: true }, keyboardNavEnabled: false,
      crossOriginPolicy: false, immediateRender: true,
    });
    this.osd.canvas.setAttribute("role", "img");
    this.osd.canvas.tabIndex = 0;
  }

  show(key, view, how) {
    const part = view?.[how] ?? view?.original;
    const state = JSON.stringify([key, part?.full]);
    const used = view?.[how] ? how : "original";
    const words = this.owner.data.words;
    const described = used === "analysed" ? words.asAnalysed : words.asDecoded;
    this.caption.textContent = view ? `${view.name} · ${described}` : "";
    this.osd.canvas.setAttribute("aria-label",
      view ? words.radiograph.replace("{name}", view.name).replace("{how}", described) : words.viewer);
    if (state === this.state) { this.layers(part); return; }
    this.state = state;
    this.part = part;
    this.heat = null;
    this.osd.world.removeAll();
    this.osd.clearOverlays();
    this.boxes = "";
    if (!part) return;
    const ratio = part.size[1] / part.size[0];
    this.add(part.preview, 0, () => {
      if (state !== this.state) return;
      this.home(ratio);
      this.root.dataset.shown = key;
      this.root.dataset.at = performance.now();
      this.layers(this.part);
      clearTimeout(this.later);
      this.later = setTimeout(() => {
        if (state !== this.state) return;
        this.add(part.full, 1, item => {
          if (state !== this.state) { this.osd.world.removeItem(item); return; }
          this.root.dataset.full = key;
        });
      }, 150);
    });
  }

  add(url, index, done) {
    this.osd.addTiledImage({
      tileSource: { type: "image", url, buildPyramid: false }, x: 0, y: 0, width: 1, index,
      success: event => done(event.item),
    });
  }

  home(ratio) {
    this.osd.viewport.fitBounds(new this.OSD.Rect(0, 0, 1, ratio), true);
  }

  reset() {
    if (this.part) this.osd.viewport.fitBounds(new this.OSD.Rect(0, 0, 1, this.part.size[1] / this.part.size[0]));
  }

  layers(part) {
    const looks = this.owner.looks;
    this.part = part;
    this.paint();
    if (looks.heat && part?.heat) {
      if (this.heatOf !== part.heat || !this.heat) {
        this.heatOf = part.heat;
        const state = this.state;
        this.osd.addTiledImage({
          tileSource: { type: "image", url: part.heat, buildPyramid: false }, x: 0, y: 0, width: 1, opacity: looks.opacity,
          success: event => {
            if (state !== this.state || !this.owner.looks.heat) { this.osd.world.removeItem(event.item); return; }
            this.heat = event.item;
            this.root.dataset.heat = "1";
          },
        });
      } else this.heat.setOpacity(looks.opacity);
    } else if (this.heat) {
      this.osd.world.removeItem(this.heat);
      this.heat = null;
    }
    if (!looks.heat) delete this.root.dataset.heat;
    const wanted = looks.boxes && part?.boxes ? JSON.stringify(part.boxes) : "";
    if (wanted === this.boxes) return;
    this.boxes = wanted;
    this.osd.clearOverlays();
    for (const region of wanted ? part.boxes : []) {
      const [x, y, width, height] = region.box.map(value => value / part.size[0]);
      const drawn = element("div", { class: "region", style: `border-color:${region.colour}` },
        element("span", { style: `color:${region.colour}` }, region.label));
      this.osd.addOverlay({ element: drawn, location: new this.OSD.Rect(x, y, width, height) });
    }
  }

  // Window and level, and inversion: a straight line over the greys of what is shown.
  paint() {
    const { level, window: width, invert } = this.owner.looks;
    const filters = [`brightness(${level / 100})`, `contrast(${width / 100})`];
    if (invert) filters.push("invert(1)");
    const canvas = this.osd.drawer.canvas;
    canvas.style.filter = level === 100 && width === 100 && !invert ? "" : filters.join(" ");
  }
}

class Viewer {
  constructor(root) {
    this.root = root;
    this.looks = { how: "analysed", heat: false, boxes: false, invert: false, level: 100, window: 100, opacity: 0.6 };
    this.stage = element("div", { class: "stage" });
    this.bar = element("div", { class: "bar", role: "group" });
    root.replaceChildren(this.stage, this.bar);
    this.onOpen = event => { this.opened = event.detail; this.draw(); };
    this.onKey = event => this.key(event);
    document.addEventListener("boneage-open", this.onOpen);
    document.addEventListener("keydown", this.onKey);
  }

  end() {
    document.removeEventListener("boneage-open", this.onOpen);
    document.removeEventListener("keydown", this.onKey);
  }

  async update(data) {
    const language = JSON.stringify(data.words);
    this.data = data;
    if (!this.ours || !data.views[this.opened]) this.opened = data.opened;
    if (data.opened === this.opened || !data.views[this.opened]) this.opened = data.opened;
    this.ours = true;
    if (!this.panes) {
      try {
        const OpenSeadragon = await load(data.library);
        if (!this.panes) {
          this.OSD = OpenSeadragon;
          this.panes = [this.pane()];
        }
      } catch {
        this.stage.replaceChildren(element("p", { class: "trouble" }, data.words.missing));
        return;
      }
    }
    if (language !== this.language) { this.language = language; this.buttons(); }
    this.draw();
  }

  pane() {
    const pane = new Pane(this, this.OSD);
    this.stage.append(pane.root);
    pane.start();
    const canvas = pane.osd.canvas;
    canvas.addEventListener("pointerdown", event => {
      if (event.button !== 2 && !event.shiftKey) return;
      event.preventDefault();
      pane.osd.setMouseNavEnabled(false);
      const start = { x: event.clientX, y: event.clientY, ...this.looks };
      const move = moved => {
        this.set({ window: limit(start.window + (moved.clientX - start.x) / 2, 20, 400),
          level: limit(start.level - (moved.clientY - start.y) / 3, 20, 300) });
      };
      const stop = () => {
        window.removeEventListener("pointermove", move);
        window.removeEventListener("pointerup", stop);
        pane.osd.setMouseNavEnabled(true);
      };
      window.addEventListener("pointermove", move);
      window.addEventListener("pointerup", stop);
    }, true);
    canvas.addEventListener("contextmenu", event => event.preventDefault());
    return pane;
  }

  set(looks) {
    Object.assign(this.looks, looks);
    this.draw();
  }

  buttons() {
    const words = this.data.words;
    const button = (name, key, act, pressed) => {
      const made = element("button", { type: "button", "aria-keyshortcuts": key, onclick: act }, words[name], element("kbd", {}, key));
      if (pressed) made.pressed = pressed;
      return made;
    };
    const range = (name, low, high, get, set) => {
      const field = element("input", { type: "range", min: low, max: high, "aria-label": words[name], oninput: () => set(Number(field.value)) });
      field.get = get;
      return element("label", {}, words[name], field);
    };
    this.compare = element("select", { "aria-label": words.compare, onchange: () => { this.other = this.compare.value; this.draw(); } });
    this.opacity = range("opacity", 10, 100, () => 100 * this.looks.opacity, value => this.set({ opacity: value / 100 }));
    this.bar.setAttribute("aria-label", words.viewer);
    this.bar.replaceChildren(
      button("heat", "h", () => this.toggle("heat"), () => this.looks.heat),
      button("boxes", "b", () => this.toggle("boxes"), () => this.looks.boxes),
      button("original", "o", () => this.toggle("how"), () => this.looks.how === "original"),
      button("invert", "i", () => this.toggle("invert"), () => this.looks.invert),
      button("in", "+", () => this.zoom(1.4)), button("out", "-", () => this.zoom(1 / 1.4)),
      button("reset", "0", () => this.reset()),
      range("contrast", 20, 400, () => this.looks.window, value => this.set({ window: value })),
      range("brightness", 20, 300, () => this.looks.level, value => this.set({ level: value })),
      this.opacity, element("label", {}, words.compare, this.compare));
  }

  toggle(name) {
    if (name === "how") this.set({ how: this.looks.how === "original" ? "analysed" : "original" });
    else this.set({ [name]: !this.looks[name] });
  }

  zoom(factor) {
    for (const pane of this.panes) { pane.osd.viewport.zoomBy(factor); pane.osd.viewport.applyConstraints(); }
  }

  reset() {
    this.set({ level: 100, window: 100, invert: false });
    for (const pane of this.panes) pane.reset();
  }

  key(event) {
    const target = event.composedPath()[0];
    if (!this.root.isConnected) { this.end(); return; }
    if (!this.panes || event.ctrlKey || event.metaKey || event.altKey) return;
    if (target.closest?.("input, select, textarea, [contenteditable]")) return;
    const act = { h: () => this.toggle("heat"), b: () => this.toggle("boxes"), o: () => this.toggle("how"),
      i: () => this.toggle("invert"), 0: () => this.reset(), "+": () => this.zoom(1.4), "-": () => this.zoom(1 / 1.4) }[event.key];
    if (!act || !this.data.opened) return;
    event.preventDefault();
    event.stopPropagation();
    act();
  }

  draw() {
    if (!this.panes) return;
    const { views, words, patients } = this.data;
    this.root.hidden = !views[this.opened];
    if (this.root.hidden) return;
    this.choices(views, words, patients);
    const two = views[this.other] && this.other !== this.opened;
    if (two && this.panes.length < 2) this.panes.push(this.pane());
    if (!two && this.panes.length > 1) { const gone = this.panes.pop(); gone.osd.destroy(); gone.root.remove(); }
    this.panes[0].show(this.opened, views[this.opened], this.looks.how);
    if (two) this.panes[1].show(this.other, views[this.other], this.looks.how);
    for (const made of this.bar.querySelectorAll("button")) if (made.pressed) made.setAttribute("aria-pressed", made.pressed());
    for (const made of this.bar.querySelectorAll("input")) if (document.activeElement !== made) made.value = made.get();
    this.opacity.hidden = !this.looks.heat;
    this.opacity.style.display = this.looks.heat ? "" : "none";
    const known = Boolean(views[this.opened].analysed);
    for (const made of this.bar.querySelectorAll("button")) {
      const key = made.getAttribute("aria-keyshortcuts");
      if ("hbo".includes(key)) made.disabled = !known;
    }
  }

  // Images of the same patient come first.
  choices(views, words, patients) {
    const own = JSON.stringify(patients[this.opened] ?? null);
    const others = Object.keys(views).filter(key => key !== this.opened);
    const same = key => own !== "null" && JSON.stringify(patients[key] ?? null) === own;
    others.sort((one, other) => same(other) - same(one));
    const state = JSON.stringify([this.opened, others.map(key => views[key].name), this.language]);
    if (state !== this.choiceState) {
      this.choiceState = state;
      if (!others.includes(this.other)) this.other = "";
      this.compare.replaceChildren(element("option", { value: "" }, words.nothing), ...others.map(key =>
        element("option", { value: key }, views[key].name + (same(key) ? ` (${words.same})` : ""))));
    }
    this.compare.value = this.other || "";
    this.compare.parentElement.style.display = others.length ? "" : "none";
  }
}

function limit(value, low, high) {
  return Math.max(low, Math.min(high, value));
}

export default function (component) {
  const { data, parentElement } = component;
  const root = parentElement.querySelector(".viewer");
  root.viewer ??= new Viewer(root);
  root.viewer.update(data);
}
