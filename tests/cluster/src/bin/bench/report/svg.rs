//! A drawing as SVG text, which can be read on a light and on a dark page: it has a background of its own, and
//! follows what the reader's system prefers.

const STYLE: &str = "text{font:13px sans-serif;fill:#1f2328}.page{fill:#fff}.faint{fill:#59636e}\
    .grid{stroke:#d1d9e0}.wanted{stroke:#1f2328;stroke-width:2}.ours{fill:#0969da;stroke:#0969da}\
    .peer{fill:#818b98;stroke:#818b98}.short{fill:#d1242f;stroke:#d1242f}.range{stroke:#1f2328;stroke-width:1.5}\
    @media(prefers-color-scheme:dark){text{fill:#f0f6fc}.page{fill:#0d1117}.faint{fill:#9198a1}\
    .grid{stroke:#3d444d}.wanted{stroke:#f0f6fc}.ours{fill:#4493f8;stroke:#4493f8}\
    .peer{fill:#656c76;stroke:#656c76}.short{fill:#f85149;stroke:#f85149}.range{stroke:#f0f6fc}}";

pub struct Svg {
    width: f64,
    height: f64,
    body: String,
}

/// Where a text's position is in it.
#[derive(Clone, Copy)]
pub enum Anchor {
    Start,
    Middle,
    End,
}

impl Svg {
    pub fn new(width: f64, height: f64) -> Self {
        Svg {
            width,
            height,
            body: String::new(),
        }
    }

    pub fn text(&mut self, x: f64, y: f64, anchor: Anchor, class: &str, text: &str) {
        let anchor = match anchor {
            Anchor::Start => "start",
            Anchor::Middle => "middle",
            Anchor::End => "end",
        };
        let text = escaped(text);
        self.body.push_str(&format!(
            "<text x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\" class=\"{class}\">{text}</text>\n"
        ));
    }

    pub fn line(&mut self, from: (f64, f64), to: (f64, f64), class: &str) {
        self.body.push_str(&format!(
            "<line x1=\"{:.1}\" y1=\"{:.1}\" x2=\"{:.1}\" y2=\"{:.1}\" class=\"{class}\"/>\n",
            from.0, from.1, to.0, to.1
        ));
    }

    pub fn bar(&mut self, corner: (f64, f64), width: f64, height: f64, class: &str) {
        self.body.push_str(&format!(
            "<rect x=\"{:.1}\" y=\"{:.1}\" width=\"{width:.1}\" height=\"{height:.1}\" class=\"{class}\"/>\n",
            corner.0, corner.1
        ));
    }

    pub fn dot(&mut self, x: f64, y: f64, class: &str) {
        self.body.push_str(&format!(
            "<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"5\" class=\"{class}\"/>\n"
        ));
    }

    /// The whole file.
    pub fn finish(self) -> String {
        let Svg {
            width,
            height,
            body,
        } = self;
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" height=\"{height}\">\n\
             <style>{STYLE}</style>\n<rect width=\"{width}\" height=\"{height}\" class=\"page\"/>\n{body}</svg>\n"
        )
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_escaped() {
        let mut svg = Svg::new(10.0, 10.0);
        svg.text(1.0, 2.0, Anchor::End, "faint", "a < b & c");
        assert!(
            svg.finish()
                .contains("class=\"faint\">a &lt; b &amp; c</text>")
        );
    }
}
