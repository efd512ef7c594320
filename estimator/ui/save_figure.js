// Save a chart of the page as a picture, as it is drawn: its layers as one SVG, and the PNG from that. Nothing leaves the browser.

const SCALE = 2; // points of a PNG for each of the page, for sharp print

function pageColor() {
  return getComputedStyle(document.querySelector(".stApp") ?? document.body).backgroundColor;
}

async function asDataUrl(address) {
  const blob = await (await fetch(address)).blob();
  return new Promise((resolve) => {
    const reader = new FileReader();
    reader.onload = () => resolve(reader.result);
    reader.readAsDataURL(blob);
  });
}

// The page's font, inside the picture: with another one the labels have other widths, and legends are cut.
async function fontFaces(chart) {
  const text = chart.querySelector("text");
  const family = text ? getComputedStyle(text).fontFamily.split(",")[0].replaceAll('"', "").trim() : "";
  for (const sheet of document.styleSheets) {
    for (const rule of sheet.cssRules) {
      if (!(rule instanceof CSSFontFaceRule) || rule.style.getPropertyValue("font-style") === "italic") continue;
      if (rule.style.getPropertyValue("font-family").replaceAll('"', "") !== family) continue;
      const address = rule.style.getPropertyValue("src").match(/url\("?([^")]+)"?\)/)?.[1];
      if (!address) continue;
      const source = await asDataUrl(new URL(address, sheet.href ?? document.baseURI));
      return `@font-face { font-family: "${family}"; font-weight: 200 900; src: url(${source}); }`;
    }
  }
  return "";
}

async function toSvg(chart, label) {
  const { width, height } = chart.getBoundingClientRect();
  const layers = [...chart.querySelectorAll(".main-svg")].filter((layer) => !layer.closest(".modebar"));
  const whole = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  const size = { width: Math.round(width), height: Math.round(height) };
  for (const [name, value] of Object.entries({ ...size, viewBox: `0 0 ${size.width} ${size.height}`, role: "img" }))
    whole.setAttribute(name, value);
  const title = document.createElementNS(whole.namespaceURI, "title");
  title.textContent = label;
  const paper = document.createElementNS(whole.namespaceURI, "rect");
  for (const [name, value] of Object.entries({ width: "100%", height: "100%", fill: pageColor() })) paper.setAttribute(name, value);
  const style = document.createElementNS(whole.namespaceURI, "style");
  style.textContent = await fontFaces(chart);
  whole.append(title, style, paper);
  for (const layer of layers) {
    const copy = layer.cloneNode(true);
    // What the pointer shows and what it grips is no part of the picture.
    copy.querySelectorAll(".hoverlayer > *, .draglayer, .zoomlayer > *").forEach((part) => part.remove());
    copy.style.background = "none";
    // A line that does not grow with the picture would be thin on it.
    copy.querySelectorAll("[style*=vector-effect]").forEach((part) => part.style.removeProperty("vector-effect"));
    whole.append(copy);
  }
  return { text: new XMLSerializer().serializeToString(whole), ...size };
}

async function toPng({ text, width, height }) {
  const picture = new Image();
  picture.src = "data:image/svg+xml;charset=utf-8," + encodeURIComponent(text);
  await picture.decode();
  const canvas = Object.assign(document.createElement("canvas"), { width: width * SCALE, height: height * SCALE });
  canvas.getContext("2d").drawImage(picture, 0, 0, canvas.width, canvas.height);
  return new Promise((resolve) => canvas.toBlob(resolve, "image/png"));
}

function offer(blob, name) {
  const link = Object.assign(document.createElement("a"), { href: URL.createObjectURL(blob), download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10000);
}

export default function ({ data, parentElement }) {
  const save = async (event) => {
    const ending = event.target.closest("button")?.dataset.ending;
    const chart = document.querySelector(`.${CSS.escape(data.holder)} .js-plotly-plot`);
    if (!ending || !chart) return;
    const svg = await toSvg(chart, data.alt);
    const blob = ending === "svg" ? new Blob([svg.text], { type: "image/svg+xml" }) : await toPng(svg);
    offer(blob, `${data.name}.${ending}`);
  };
  parentElement.addEventListener("click", save);
  return () => parentElement.removeEventListener("click", save);
}
