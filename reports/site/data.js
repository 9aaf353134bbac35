"use strict";

// Data comes as scripts, since a page of the file system may fetch nothing: each hands its name
// and a text of JSON to compat().
const loading = new Map();
const awaited = new Map();

function compat(name, text) {
  awaited.get(name)?.(JSON.parse(text));
}

/** Data by name, loaded once, however many ask for it at the same time. */
function load(name) {
  if (!loading.has(name)) {
    loading.set(name, new Promise((resolve, reject) => {
      awaited.set(name, resolve);
      const script = document.createElement("script");
      script.src = `${name}.js`;
      script.onerror = () => {
        loading.delete(name);
        reject(new Error(`${name}.js could not be loaded`));
      };
      document.head.append(script);
    }));
  }
  return loading.get(name);
}

/** An element; strings among the children are text and never anything else. */
function el(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== undefined && value !== false) {
      element.setAttribute(name, value === true ? "" : value);
    }
  }
  element.append(...children.filter((child) => child !== undefined && child !== ""));
  return element;
}

function svg(tag, attributes, ...children) {
  const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

function glyph(outcome) {
  const use = svg("use", { href: `#${outcome}` });
  return svg("svg", { class: `glyph ${outcome}`, "aria-hidden": "true" }, use);
}
