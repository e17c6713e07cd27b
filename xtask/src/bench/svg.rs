//! What plots are made of. Colours are the page's: every element has a class.

use std::fmt::Write as _;

/// A drawing of this size.
pub(super) struct Drawing {
    text: String,
    height: f64,
    width: f64,
}

/// On which side of its place a text stands.
#[derive(Clone, Copy)]
pub(super) enum Anchor {
    Start,
    Middle,
    End,
}

/// How many colours there are for series.
pub(super) const COLOURS: usize = 8;

impl Drawing {
    pub(super) fn new(width: f64, height: f64) -> Self {
        Self { text: String::new(), height, width }
    }

    pub(super) fn line(&mut self, class: &str, (x1, y1): (f64, f64), (x2, y2): (f64, f64)) {
        self.element(&format!(
            r#"<line class="{class}" x1="{x1:.1}" y1="{y1:.1}" x2="{x2:.1}" y2="{y2:.1}"/>"#
        ));
    }

    pub(super) fn rectangle(
        &mut self,
        class: &str,
        (x, y): (f64, f64),
        (width, height): (f64, f64),
    ) {
        self.element(&format!(
            r#"<rect class="{class}" x="{x:.1}" y="{y:.1}" width="{width:.1}" height="{height:.1}"/>"#
        ));
    }

    /// A dot that says what it is when it is pointed at.
    pub(super) fn dot(&mut self, class: &str, (x, y): (f64, f64), what: &str) {
        self.element(&format!(
            r#"<circle class="{class}" cx="{x:.1}" cy="{y:.1}" r="3.5"><title>{}</title></circle>"#,
            escaped(what)
        ));
    }

    pub(super) fn path(&mut self, class: &str, places: &[(f64, f64)]) {
        let places: Vec<_> = places.iter().map(|(x, y)| format!("{x:.1},{y:.1}")).collect();
        self.element(&format!(r#"<polyline class="{class}" points="{}"/>"#, places.join(" ")));
    }

    pub(super) fn words(&mut self, class: &str, (x, y): (f64, f64), anchor: Anchor, text: &str) {
        let anchor = match anchor {
            Anchor::Start => "start",
            Anchor::Middle => "middle",
            Anchor::End => "end",
        };
        self.element(&format!(
            r#"<text class="{class}" x="{x:.1}" y="{y:.1}" text-anchor="{anchor}">{}</text>"#,
            escaped(text)
        ));
    }

    fn element(&mut self, element: &str) {
        // A String takes everything.
        let _ = writeln!(self.text, "{element}");
    }

    /// The whole, which grows and shrinks with the page.
    pub(super) fn finish(self, title: &str) -> String {
        let Self { text, height, width } = self;
        let title = escaped(title);
        format!(
            "<svg viewBox=\"0 0 {width:.0} {height:.0}\" role=\"img\" aria-label=\"{title}\" \
             xmlns=\"http://www.w3.org/2000/svg\">\n{text}</svg>\n"
        )
    }
}

/// Text as it is, whatever markup makes of it.
pub(super) fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_no_markup() {
        assert_eq!(escaped(r#"a<b> & "c""#), "a&lt;b&gt; &amp; &quot;c&quot;");
        let mut drawing = Drawing::new(10.0, 20.0);
        drawing.words("label", (1.0, 2.0), Anchor::End, "<script>");
        drawing.dot("dot", (1.0, 2.0), "a & b");
        let svg = drawing.finish("x \"y\"");
        assert!(svg.contains("&lt;script&gt;") && !svg.contains("<script>"));
        assert!(svg.contains("<title>a &amp; b</title>"));
        assert!(svg.contains("aria-label=\"x &quot;y&quot;\""));
    }
}
