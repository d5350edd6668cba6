"""RecBole's atomic files: is one as RecBole needs it, and how is it read fast?"""
